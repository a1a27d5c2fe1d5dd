// `<rollcall-feed room>`: the live list of a room as frames, for a page that gets no WebSocket. It fires `message` with
// each frame as its data, and without data when the stream broke. It closes when it is removed.

// Of the same build: a cache may hold that of another one.
const { openFeed } = await import(`./feed.js${new URL(import.meta.url).search}`);

class RollcallFeed extends HTMLElement {
  #feed;

  connectedCallback() {
    const request = { room: this.getAttribute("room"), wantsFrames: true };
    const tell = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
    this.#feed = openFeed(
      () => request,
      ({ frame }) => frame && tell(frame),
      () => tell(null),
    );
  }

  disconnectedCallback() {
    this.#feed.close();
  }
}

customElements.define("rollcall-feed", RollcallFeed);
