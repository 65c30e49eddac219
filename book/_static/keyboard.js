// What a reader without a mouse needs and the page's other scripts leave out.
//
// A copy button keeps the focus and says what came of it: the script that
// copies takes the text from a field that it removes again, and with it goes
// the focus; what it says stands in a tooltip alone.
{
  const said = document.createElement("div");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  document.body.append(said);

  // on the document, which hears of it after the script that copies
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button.copybtn");
    if (!button) return;
    button.focus({ preventScroll: true });
    // emptied first, so that the same words are said again
    said.textContent = "";
    setTimeout(() => (said.textContent = button.dataset.tooltip), 100);
  });
}

// A formula or a table that scrolls in its box is a stop for the Tab key, so
// that the arrow keys can scroll it; one that is seen whole is none.
{
  const BOXES = "article :is(table, .output.text_html, div.math, div.math mjx-container)";
  const MORE = 8; // px; a letter may lean out of its formula by less

  const mark = (box) => {
    const scrolls =
      box.scrollWidth > box.clientWidth + MORE && getComputedStyle(box).overflowX === "auto";
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) mark(target);
  });
  const look = () => {
    for (const box of document.querySelectorAll(BOXES)) {
      mark(box);
      sizes.observe(box);
    }
  };
  look();
  // formulas are wider or narrower than their TeX
  window.MathJax?.startup?.promise?.then(look);
}
