// Keeps what stands beside a long list in sight, in a window that is wide enough for both: there the desk sticks
// to the top, and what is below it would have to know how high the desk is. No style sheet can say that.
//
// In the page the list stands between the two, as it does on a telephone: that is the order for the keyboard and
// for those who listen.

const desk = document.querySelector(".desk");
const { style, dataset } = document.documentElement;

new ResizeObserver(() => {
  style.setProperty("--desk", `${desk.offsetHeight}px`);
  dataset.desk = "true";
}).observe(desk);
