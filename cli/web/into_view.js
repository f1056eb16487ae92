// What has come is brought into view where it is not; `element`, `watch` are Gradio's.
watch("value", () => {
  const top = element.getBoundingClientRect().top;
  if (!element.textContent.trim() || (top > 0 && top < innerHeight * 0.6)) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
});
