// The page around <openai-chatkit>: who is signed in, which conversation is open, which colours.

const root = document.documentElement;
const signsInItself = root.dataset.signIn === "development";
const signedInByHost = root.dataset.signIn === "host";
const OFFLINE = "The offline model follows simple rules. `CHATBRIDGE_AGENT__MODEL` names another.";
const byId = (id) => document.getElementById(id);

let chat;

// --- what the browser keeps; where it may keep nothing, it is good for as long as the page is open

const kept = new Map();

function recall(storage, name) {
  try {
    return globalThis[storage].getItem(`chatbridge.${name}`);
  } catch {
    return kept.get(name) ?? null;
  }
}

function keep(storage, name, value) {
  kept.set(name, value);
  try {
    if (value === null) globalThis[storage].removeItem(`chatbridge.${name}`);
    else globalThis[storage].setItem(`chatbridge.${name}`, value);
  } catch {
    // then the page alone knows it
  }
}

// --- who is signed in

let user = recall("sessionStorage", "user") ?? "alice";
let token = recall("sessionStorage", "token");
let signingIn = null;

/** Takes the key of this start out of the address that was printed; all tabs have it from then on. */
function takeKey() {
  const found = /^#key=([\w-]+)$/.exec(location.hash)?.[1];
  if (!found) return false;
  setAddress(null);
  keep("localStorage", "key", found);
  return true;
}

/** fetch with the person's token; while there is none that is good, the request waits for one. */
async function signedFetch(input, init) {
  if (signedInByHost) return fetchByCookie(input, init);
  const shown = token ?? (await signIn());
  const response = await fetchWith(shown, input, init);
  if (response.status !== 401) return response;
  const reason = await detailOf(response);
  // by now another request may have got a new one
  const renewed = token === null || token === shown ? await signIn(reason) : token;
  return fetchWith(renewed, input, init);
}

/** fetch by what the browser sends itself; the server refuses where that is somebody else's by now. */
function fetchByCookie(input, init) {
  const headers = new Headers(init?.headers);
  headers.set("X-Chatbridge-User", root.dataset.user);
  return fetch(input, { ...init, headers });
}

function fetchWith(shown, input, init) {
  const headers = new Headers(init?.headers);
  headers.set("Authorization", `Bearer ${shown}`);
  return fetch(input, { ...init, headers });
}

/** One token for all who wait for it. `reason` is why the last one is no longer good. */
function signIn(reason = "") {
  token = null;
  signingIn ??= newToken(reason)
    .then((found) => (token = found))
    .finally(() => (signingIn = null));
  return signingIn;
}

async function newToken(reason) {
  if (!signsInItself) return pasted(reason, tokenWhenGood);
  if (recall("localStorage", "key") === null) return pasted("", tokenByPastedKey);
  try {
    return await tokenByKey(user);
  } catch (problem) {
    if (problem instanceof TypeError) throw problem; // the server is away: the chat says so
    return pasted(problem.message, tokenByPastedKey);
  }
}

/** A token by the key of this start. Throws Error with the reason, TypeError if nothing answers. */
async function tokenByKey(name) {
  const response = await fetchWith(recall("localStorage", "key"), "development/token", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: name }),
  });
  if (!response.ok) throw new Error(await detailOf(response));
  const { token: found } = await response.json();
  keep("sessionStorage", "token", found);
  return found;
}

/** The same by what was pasted: the key, or the address that has it. */
function tokenByPastedKey(text) {
  keep("localStorage", "key", text.split("key=").pop());
  return tokenByKey(user);
}

/** A token of the sign-in, tried before it is believed. Throws Error with the reason. */
async function tokenWhenGood(text) {
  const response = await fetchWith(text, "chatkit", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ type: "threads.list", params: { limit: 1 } }),
  });
  if (!response.ok) throw new Error(await detailOf(response));
  keep("sessionStorage", "token", text);
  return text;
}

/** Asks for something to paste until `tried` makes a token of it. */
function pasted(reason, tried) {
  const dialog = byId("sign-in");
  const [form, field, problem] = [dialog.firstElementChild, byId("token"), byId("sign-in-problem")];
  byId("sign-in-reason").textContent = reason;
  problem.textContent = "";
  field.value = "";
  dialog.oncancel = (event) => event.preventDefault();
  dialog.showModal();
  return new Promise((resolve) => {
    form.onsubmit = async (event) => {
      event.preventDefault();
      try {
        const found = await tried(field.value.trim());
        dialog.close();
        resolve(found);
      } catch (refused) {
        problem.textContent =
          refused instanceof TypeError
            ? "The server can't be reached, or this can't be one."
            : refused.message;
        field.focus();
      }
    };
  });
}

/** Whose token it is; it was believed already. */
function subjectOf(jwt) {
  const payload = jwt.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)).sub;
}

async function detailOf(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `The server answers ${response.status}.`;
}

// --- which conversation is open

const threadOfAddress = () => location.hash.slice(1) || null;

/** A step of the browser's history, if the person chose it. */
function setAddress(threadId, chosen = false) {
  if (threadId === threadOfAddress()) return;
  const { pathname, search } = location;
  const address = threadId ? `#${threadId}` : pathname + search;
  if (chosen) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

// --- which colours

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.scheme ? root.dataset.scheme === "dark" : prefersDark.matches);

function showScheme() {
  byId("dark").setAttribute("aria-pressed", String(isDark()));
  chat?.setOptions(options());
}

function switchScheme() {
  const wanted = isDark() ? "light" : "dark";
  // back at what the system wants, it is followed again
  const chosen = (wanted === "dark") === prefersDark.matches ? null : wanted;
  if (chosen) root.dataset.scheme = chosen;
  else delete root.dataset.scheme;
  keep("localStorage", "scheme", chosen);
  showScheme();
}

// --- what a message can name with @

async function tagsLike(query) {
  const name = signedInByHost ? root.dataset.user : signsInItself ? user : subjectOf(token);
  const asked = `api/${encodeURIComponent(name)}/tags?q=${encodeURIComponent(query)}`;
  const response = await signedFetch(asked);
  if (!response.ok) throw new Error(await detailOf(response));
  return (await response.json()).items;
}

/** A card of what it is now, as far as it is found; a message has it as it was when it was sent. */
async function preview(tag) {
  const now = (await tagsLike(tag.title.slice(0, 200))).find(({ id }) => id === tag.id);
  const { title, group, icon, data } = now ?? tag;
  const known = Object.entries(data ?? {}).map(([name, value]) => `${name}: ${value}`);
  const gone = !now && tag.id.startsWith("task_");
  const line = gone ? "This is not there any more." : known.join(" · ");
  const name = { type: "Text", value: title, weight: "semibold", maxLines: 3 };
  const head = { type: "Row", children: [...(icon ? [{ type: "Icon", name: icon }] : []), name] };
  const below = [group, line].filter(Boolean).map((value) => ({ type: "Caption", value }));
  return { preview: { type: "Basic", children: [head, ...below] } };
}

// --- the chat

/** No keyboard comes up over the page when a field has the focus. */
const wide = matchMedia("(pointer: fine) and (min-width: 40rem)");

function options() {
  return {
    api: {
      url: "chatkit",
      domainKey: "self-hosted",
      fetch: signedFetch,
      uploadStrategy: { type: "two_phase" },
    },
    theme: {
      colorScheme: isDark() ? "dark" : "light",
      radius: "soft",
      color: { accent: { primary: "#0FFF50", level: 1 } },
    },
    initialThread: threadOfAddress(),
    header: { enabled: true },
    history: { enabled: true, showRename: true, showDelete: true },
    threadItemActions: { feedback: true, retry: true },
    startScreen: JSON.parse(root.dataset.start),
    composer: {
      placeholder: "Message",
      attachments: JSON.parse(root.dataset.attachments),
      ...JSON.parse(root.dataset.menus),
    },
    ...(root.dataset.tags === "on" && {
      entities: { onTagSearch: tagsLike, onRequestPreview: preview, showComposerMenu: true },
    }),
    ...(root.dataset.model === "offline" && { disclaimer: { text: OFFLINE } }),
  };
}

/** A chat of its own for whoever is signed in now; nothing of the one before is left. */
function mount() {
  chat = document.createElement("openai-chatkit");
  if (signedInByHost) chat.dataset.user = root.dataset.user;
  else if (token !== null) chat.dataset.user = signsInItself ? user : subjectOf(token);
  let opening = null;
  const listen = (name, act) =>
    chat.addEventListener(`chatkit.${name}`, ({ target, detail }) => {
      if (target === chat) act(detail);
    });
  listen("thread.load.start", ({ threadId }) => (opening = threadId));
  listen("thread.load.end", () => (opening = null));
  // a conversation that begins with a message, or turns out to be gone, is no step
  listen("thread.change", ({ threadId }) => setAddress(threadId, threadId === opening));
  listen("ready", () => {
    const idle = document.activeElement === document.body;
    if (idle && wide.matches) void chat.focusComposer();
  });
  document.querySelector("main").replaceChildren(chat);
  showScheme();
}

async function begin() {
  if (!customElements.get("openai-chatkit")) {
    byId("problem").textContent = "The chat could not be loaded. Reload the page to try again.";
    return;
  }
  byId("user-name").value = user;
  byId("user").hidden = !signsInItself;
  byId("sign-out").hidden = signsInItself || signedInByHost;
  if (token === null && !signedInByHost) await signIn().catch(() => {}); // the chat says what is wrong
  mount();
}

byId("user").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wanted = byId("user-name").value.trim();
  byId("problem").textContent = "";
  try {
    token = await tokenByKey(wanted);
  } catch (problem) {
    byId("problem").textContent =
      problem instanceof TypeError ? "The server can't be reached." : problem.message;
    return;
  }
  user = wanted;
  keep("sessionStorage", "user", user);
  setAddress(null);
  mount();
});

async function signedOut() {
  if (signsInItself || signedInByHost) return;
  keep("sessionStorage", "token", null);
  setAddress(null);
  document.querySelector("main").replaceChildren();
  await signIn();
  mount();
}

// all tabs of this origin, and the chats in them, take their leave: what was begun there is forgotten
const tabs = new BroadcastChannel("chatbridge");
tabs.addEventListener("message", ({ data }) => {
  if (data === "signed-out") void signedOut();
});
byId("sign-out").addEventListener("click", () => {
  tabs.postMessage("signed-out");
  keep("localStorage", "signed-out", String(Date.now()));
  // the chat hears of it as a tab does; it is given the time to
  setTimeout(signedOut);
});

byId("dark").addEventListener("click", switchScheme);
prefersDark.addEventListener("change", showScheme);
addEventListener("hashchange", () => {
  if (takeKey()) location.reload();
  else chat?.setThreadId(threadOfAddress());
});

// a file that misses the chat must not take its place
for (const name of ["dragover", "drop"]) {
  addEventListener(name, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
}

takeKey();
await begin();
