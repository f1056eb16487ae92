// Clicks on faces of the grid; `element` and `trigger` are Gradio's.
element.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-row]");
  if (pressed) trigger(pressed.dataset.does === "drop" ? "toggle" : "show", { row: Number(pressed.dataset.row) });
});
