// Requests to the service that serves this page, with a key where it asks for one.

let key = sessionStorage.getItem("key");

const askForKey = () => new Promise((resolve) => {
  const dialog = document.getElementById("key-dialog");
  dialog.addEventListener("close", () => {
    key = document.getElementById("key").value;
    sessionStorage.setItem("key", key);
    resolve();
  }, { once: true });
  if (!dialog.open) dialog.showModal();
});

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (key) headers.authorization = `Bearer ${key}`;
  const answer = await fetch(path, { ...options, headers });
  if (answer.status !== 401) return answer;
  await askForKey();
  return ask(path, options);
}

async function read(answer) {
  if (answer.ok) return answer.json();
  throw new Error((await answer.json()).detail);
}

export const get = async (path) => read(await ask(path));

export const post = async (path, body) => read(await ask(path, {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
}));

// Server-sent events, read by fetch because EventSource sends no key.
export async function follow(path, handle) {
  const answer = await ask(path);
  if (!answer.ok) throw new Error("no stream");
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const messages = text.split("\n\n");
    text = messages.pop();
    for (const message of messages) {
      const lines = message.split("\n");
      const of = (name) => lines.find((line) => line.startsWith(name))?.slice(name.length + 1);
      if (of("data:")) handle(of("event:"), JSON.parse(of("data:")));
    }
  }
}
