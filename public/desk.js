// Keeps what stands beside a long list in sight, in a window that is wide enough for both: there the desk sticks
// to the top, and what is below it would have to know how high the desk is, and the desk how much is below it.
// No style sheet can say that.
//
// In the page the list stands between the two, as it does on a telephone: that is the order for the keyboard and
// for those who listen.

const parts = ["desk", "beside"];
const { style, dataset } = document.documentElement;
const elementOf = (part) => document.querySelector(`.${part}`);

const observer = new ResizeObserver(() => {
  for (const part of parts) style.setProperty(`--${part}`, `${elementOf(part).offsetHeight}px`);
  dataset.desk = "true";
});
for (const part of parts) observer.observe(elementOf(part));
