/** Copying, also on a page without TLS, to which browsers give no clipboard. */

/** Whether the text is on the clipboard now. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/** By a selection, as a person would. What had the focus has it afterwards. */
function copySelected(text: string): boolean {
  const focused = deepestFocus();
  const box = document.createElement("textarea");
  box.value = text;
  box.readOnly = true;
  box.style.cssText = "position:fixed;inset-block-start:0;opacity:0;font-size:16px";
  // in a modal dialog nothing else takes a focus
  (document.querySelector("dialog:modal") ?? document.body).append(box);
  box.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    box.remove();
    focused?.focus({ preventScroll: true });
  }
}

function deepestFocus(): HTMLElement | null {
  let active = document.activeElement;
  while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
  return active instanceof HTMLElement ? active : null;
}
