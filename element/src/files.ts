/** Files that are dropped or pasted: the chat takes none, and says so instead of leaving the page. */

/** Keeps the browser from opening a file that is dropped on `target`; `said` is told of it. */
export function refuseFiles(target: HTMLElement, said: () => void): void {
  const drag = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files") || event.defaultPrevented) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    if (event.type === "drop") said();
  };
  target.addEventListener("dragover", drag);
  target.addEventListener("drop", drag);
  target.addEventListener("paste", ({ clipboardData, defaultPrevented }) => {
    const types = clipboardData?.types ?? [];
    // what is copied from an office program is a text and its picture
    if (!defaultPrevented && types.includes("Files") && !types.includes("text/plain")) said();
  });
}
