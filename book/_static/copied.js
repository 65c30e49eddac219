// A copy button keeps the focus and says what came of it. The script that
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
