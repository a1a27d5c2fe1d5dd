import type { Browser, Page } from "@playwright/test";
import sharp from "sharp";

/** Twice as many pixels as the page has, so that text is sharp where the picture is shown small. */
export const SCALE = 2;

/** A browser window as the picture shows it. */
export interface Window {
  title: string;
  page: Page;
  /** Shown as a bar under the title, as browsers do while a page is on its way. */
  isLoading?: boolean;
}

const STYLE = `
  body { margin: 0; }
  main { width: max-content; padding: 14px; background: #d9d4c7; font: 15px "Noto Sans", sans-serif; }
  div { display: flex; gap: 14px; }
  figure { margin: 0; border-radius: 10px; overflow: hidden; background: #fffdf8; box-shadow: 0 1px 6px #0004; }
  figcaption { padding: 7px 14px; background: #35322c; color: #f6f1e6; border-bottom: 3px solid #35322c; }
  figcaption.is-loading { border-image: linear-gradient(90deg, #4fc08d 60%, #35322c 60%) 1; }
  img { display: block; }
  p { margin: 14px 0 0; text-align: center; font-size: 19px; color: #25221d; }
`;

/** An animated picture of windows side by side with a line of text below, made frame by frame. */
export class MovingPicture {
  private readonly frames: Buffer[] = [];
  private readonly delays: number[] = [];

  private constructor(private readonly stage: Page) {}

  static async begin(browser: Browser): Promise<MovingPicture> {
    const viewport = { width: 1_600, height: 1_000 };
    return new MovingPicture(await browser.newPage({ viewport, deviceScaleFactor: SCALE }));
  }

  /** Adds the windows as they are now, for so long; a frame equal to the last one only prolongs it. */
  async add(windows: readonly Window[], caption: string, milliseconds: number): Promise<void> {
    const figures: string[] = [];
    for (const { title, page, isLoading = false } of windows) {
      const { width, height } = page.viewportSize() ?? { width: 0, height: 0 };
      // A closed page leaves an empty window.
      const picture = page.isClosed() ? "" : (await page.screenshot()).toString("base64");
      figures.push(
        `<figure><figcaption class="${isLoading ? "is-loading" : ""}">${title}</figcaption>` +
          `<img width="${width}" height="${height}" src="data:image/png;base64,${picture}"></figure>`,
      );
    }
    await this.stage.setContent(
      `<!doctype html><style>${STYLE}</style><main><div>${figures.join("")}</div><p>${caption}</p></main>`,
    );
    const frame = await this.stage.locator("main").screenshot();
    const last = this.frames.length - 1;
    if (this.frames[last]?.equals(frame)) {
      this.delays[last] = (this.delays[last] ?? 0) + milliseconds;
    } else {
      this.frames.push(frame);
      this.delays.push(milliseconds);
    }
  }

  /** Writes it as an animated WebP that plays without end, and answers its size in bytes. */
  async write(path: string): Promise<number> {
    await this.stage.close();
    const { size } = await sharp(this.frames, { join: { animated: true } })
      .webp({ delay: this.delays, loop: 0, quality: 80, effort: 6 })
      .toFile(path);
    return size;
  }
}
