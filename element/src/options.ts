/** Which of ChatKit's options have an effect here; any other is named, so that nobody waits for it. */

/** The page has set up the element wrongly. */
export class IntegrationError extends Error {
  override name = "IntegrationError";
}

/** True: whatever it holds is taken. */
type Shape = { readonly [name: string]: Shape | true };

const HAS: Shape = {
  api: { url: true, domainKey: true, fetch: true, getClientSecret: true, uploadStrategy: true },
  locale: true,
  theme: true,
  frameTitle: true,
  initialThread: true,
  onClientTool: true,
  header: { enabled: true, title: true, leftAction: true, rightAction: true },
  history: { enabled: true, showDelete: true, showRename: true },
  startScreen: { greeting: true, prompts: true },
  threadItemActions: { feedback: true, retry: true },
  composer: {
    placeholder: true,
    models: true,
    tools: true,
    attachments: { enabled: true, maxSize: true, maxCount: true, accept: true },
    dictation: { enabled: true },
  },
  entities: { onTagSearch: true, showComposerMenu: true, onClick: true, onRequestPreview: true },
  disclaimer: { text: true, highContrast: true },
  widgets: { onAction: true },
  commands: { enabled: true, onSearch: true, onSelect: true },
};

const named = new Set<string>();

/** Names each option that has no effect here on the console, once for all elements of the page. */
export function nameOthers(options: object): void {
  for (const name of others(options, HAS)) {
    if (named.has(name)) continue;
    named.add(name);
    console.warn(`chatkit: the option ${name} has no effect in this element.`);
  }
}

function others(options: object, shape: Shape, path = ""): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(options)).flatMap(([name, { value }]) => {
    const known = Object.hasOwn(shape, name) ? shape[name] : undefined;
    // what is off or left out is not waited for
    if (known === true || value === undefined || value === null || value === false) return [];
    if (!known) return [path + name];
    return typeof value === "object" ? others(value, known, `${path}${name}.`) : [];
  });
}
