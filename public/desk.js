// Keeps what stands beside a long list in sight, in a window that is wide enough for both: there the desk sticks
// to the top, and what is below it would have to know how high the desk is, and the desk how much is below it.
// No style sheet can say that.
//
// In the page the list stands between the two, as it does on a telephone: that is the order for the keyboard and
// for those who listen.

const desk = document.querySelector(".desk");
const beside = document.querySelector(".beside");

const observer = new ResizeObserver(() => {
  const [deskHeight, besideHeight] = [desk.offsetHeight, beside.offsetHeight];
  // Each knows of itself and the other alone: what the whole page knew would have every row looked at anew.
  for (const [part, name, height] of [
    [desk, "--height", deskHeight],
    [desk, "--beside", besideHeight],
    [beside, "--height", besideHeight],
    [beside, "--desk", deskHeight],
  ]) {
    part.style.setProperty(name, `${height}px`);
  }
  document.documentElement.dataset.desk = "true";
});
observer.observe(desk);
observer.observe(beside);
