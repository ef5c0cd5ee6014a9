'use strict';
// The page is rendered by the server. This script sends its forms and refreshes the parts that move.

const problem = document.getElementById('problem');

async function call(method, path, body) {
  problem.textContent = '';
  try {
    const answer = await fetch(path, { method, headers: { 'Content-Type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
    if (!answer.ok) throw new Error((await answer.text()).trim());
    return answer.status === 204 ? null : await answer.json();
  } catch (failure) {
    problem.textContent = failure instanceof TypeError ? 'The sandbox does not answer.' : failure.message;
    return undefined;
  }
}

const moving = ['figures', 'phones', 'lines', 'bar', 'faults'];

// A part that somebody works in stays as it is: an open menu, a playing sound, a switch that has the focus.
function busy(id, part) {
  return part.querySelector('details[open]') || [...part.querySelectorAll('audio, video')].some((one) => !one.paused) ||
    id === 'faults' && part.contains(document.activeElement);
}

async function refresh() {
  let page;
  try {
    const answer = await fetch(location.href, { cache: 'no-store' });
    page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  } catch { return; }
  for (const id of moving) {
    const old = document.getElementById(id), fresh = page.getElementById(id);
    if (!old || !fresh || old.outerHTML === fresh.outerHTML || busy(id, old)) continue;
    const focused = old.contains(document.activeElement) && document.activeElement.getAttribute('href');
    const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 40, top = old.scrollTop;
    if (id === 'lines') keep(old, fresh);
    else old.replaceWith(document.adoptNode(fresh));
    const shown = document.getElementById(id);
    shown.scrollTop = id === 'lines' && atEnd ? shown.scrollHeight : top;
    if (focused) shown.querySelector(`a[href="${focused}"]`)?.focus();
  }
}

// keep replaces only the lines that changed, so that pictures do not load again and sounds keep their place.
function keep(old, fresh) {
  const known = new Map([...old.children].map((line) => [line.dataset.id, line]));
  const wanted = [...fresh.children].map((line) => {
    const same = known.get(line.dataset.id);
    return same?.outerHTML === line.outerHTML ? same : document.adoptNode(line);
  });
  old.replaceChildren(...wanted);
}

const faults = {
  cut: { drop: true },
  slow: { delay_ms: 2000 },
  drop: { accept_then_drop: true, probability: 0.2, seed: 1 },
  limit: { code: 130429, probability: 0.2, seed: 2 },
};

// Those about webhooks are the fields of one fault.
const hooks = {
  double: { double_share: 0.3 },
  late: { late_share: 0.2, late_by_ms: 10000 },
  shuffle: { shuffle: true },
  batch: { batch: true },
};

function same(fault, wanted) {
  return Object.keys(fault.match ?? {}).length === 0 && !fault.webhooks &&
    Object.keys(wanted).every((key) => fault[key] === wanted[key]) && (wanted.probability !== undefined || fault.probability === undefined);
}

function switched(list, key, on) {
  if (!hooks[key]) {
    const rest = list.filter((fault) => !same(fault, faults[key]));
    return on ? [...rest, faults[key]] : rest;
  }
  const webhooks = { ...list.find((fault) => fault.webhooks)?.webhooks };
  for (const field of Object.keys(hooks[key])) delete webhooks[field];
  if (on) Object.assign(webhooks, hooks[key]);
  const rest = list.filter((fault) => !fault.webhooks);
  return Object.keys(webhooks).length > 0 ? [...rest, { webhooks }] : rest;
}

document.addEventListener('change', async (event) => {
  const box = event.target;
  if (box.dataset.fault) {
    const list = await call('GET', '/sandbox/faults');
    if (list) await call('PUT', '/sandbox/faults', switched(list, box.dataset.fault, box.checked));
  } else if ('statuses' in box.dataset) {
    await call('PUT', '/sandbox/statuses', { off: box.checked });
  } else if (box.id === 'file') {
    if (box.files.length > 0) await sendFile(box.files[0], box.dataset.kind);
    box.value = '';
    return;
  } else return;
  box.blur();
  refresh();
});

const composer = document.getElementById('reply');
let mode = null; // what the text field does: answer or edit a line

function setMode(next) {
  mode = next;
  const note = document.getElementById('mode');
  note.hidden = !next;
  if (!next) return;
  note.querySelector('span').textContent = (next.kind === 'edit' ? 'Editing: ' : 'Answering: ') + next.words;
  composer.elements.text.value = next.kind === 'edit' ? next.text : composer.elements.text.value;
  composer.elements.text.focus();
}

// say sends one thing as the contact. It returns whether that worked.
async function say(wrote) {
  const answering = mode && mode.kind !== 'edit' && !wrote.about ? { about: mode.id } : {};
  const sent = await call('POST', `/sandbox/phones/${composer.dataset.phone}/messages`, { number_id: composer.elements.number_id.value, ...answering, ...wrote });
  if (sent) setMode(null);
  await refresh();
  return Boolean(sent);
}

async function sendFile(file, kind) {
  const type = file.type || 'application/octet-stream';
  kind ||= type === 'image/webp' ? 'sticker' : type.startsWith('audio/ogg') ? 'voice' : /^(image|video|audio)\//.exec(type)?.[1] ?? 'document';
  problem.textContent = '';
  const answer = await fetch(`/sandbox/media?filename=${encodeURIComponent(file.name ?? '')}`, { method: 'POST', headers: { 'Content-Type': type }, body: file }).catch(() => null);
  if (!answer?.ok) {
    problem.textContent = answer ? (await answer.text()).trim() : 'The sandbox does not answer.';
    return;
  }
  const field = composer.elements.text, caption = ['image', 'video', 'document'].includes(kind) && mode?.kind !== 'edit' ? field.value : '';
  if (await say({ kind, media_id: (await answer.json()).id, text: caption }) && caption) field.value = '';
}

// A picture for who has none at hand.
async function sample(kind) {
  if (kind === 'voice') return (await fetch('/assets/sample.ogg')).blob();
  const canvas = document.createElement('canvas');
  canvas.width = kind === 'sticker' ? 512 : 800;
  canvas.height = 512;
  const draw = canvas.getContext('2d'), sky = draw.createLinearGradient(0, 0, 0, 512);
  if (kind === 'sticker') {
    const disc = (x, y, radius, colour) => { draw.fillStyle = colour; draw.beginPath(); draw.arc(x, y, radius, 0, 7); draw.fill(); };
    for (let petal = 0; petal < 6; petal++) disc(256 + 130 * Math.cos(petal * Math.PI / 3), 256 + 130 * Math.sin(petal * Math.PI / 3), 95, '#e2557f');
    disc(256, 256, 80, '#ffd35c');
  } else {
    for (const [at, colour] of [[0, '#31426f'], [0.6, '#e08b6d'], [1, '#f3d9a4']]) sky.addColorStop(at, colour);
    draw.fillStyle = sky;
    draw.fillRect(0, 0, 800, 512);
    draw.fillStyle = '#fff3c9';
    draw.beginPath();
    draw.arc(560, 300, 60, 0, 7);
    draw.fill();
    draw.fillStyle = '#1d2b3f';
    draw.fillRect(0, 400, 800, 112);
  }
  return new Promise((done) => canvas.toBlob(done, kind === 'sticker' ? 'image/webp' : 'image/jpeg', 0.85));
}

function lineOf(element) {
  const line = element.closest('li');
  return { id: line.dataset.id, words: line.dataset.words, text: line.dataset.text };
}

// What a button does, by the attribute that it carries.
const does = {
  act: async ({ act, phone, key, value }) => {
    await call('POST', `/sandbox/phones/${phone}/${act}`, key ? { [key]: value === 'true' || value !== 'false' && value } : {});
    await refresh();
  },
  hurry: async () => { await call('POST', '/sandbox/webhooks/retry', {}); await refresh(); },
  option: (data, button) => say({ kind: 'choice', about: lineOf(button).id, option: data.option }),
  react: (data, button) => say({ kind: 'reaction', about: lineOf(button).id, text: data.react }),
  delete: (_, button) => say({ kind: 'delete', about: lineOf(button).id }),
  answer: (_, button) => setMode({ kind: 'answer', ...lineOf(button) }),
  edit: (_, button) => setMode({ kind: 'edit', ...lineOf(button) }),
  words: (data) => say({ text: data.words }),
  say: (data) => say({ kind: data.say }),
  close: (_, button) => button.closest('dialog').close(),
  dialog: (data) => document.getElementById(data.dialog).showModal(),
  file: (data) => {
    const picker = document.getElementById('file');
    picker.dataset.kind = data.file;
    picker.accept = data.file ? '' : 'image/jpeg,image/png,image/webp,video/mp4,video/3gpp,audio/*';
    picker.click();
  },
  sample: async (data) => {
    const file = await sample(data.sample);
    sendFile(new File([file], data.sample === 'image' ? 'evening.jpg' : data.sample, { type: data.sample === 'voice' ? 'audio/ogg; codecs=opus' : file.type }), data.sample);
  },
};

document.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(event.target) || button) menu.open = false;
  }
  if (!button) return;
  const doing = Object.keys(does).find((name) => name in button.dataset);
  if (doing) does[doing](button.dataset, button);
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    menu.open = false;
    menu.querySelector('summary').focus();
  }
  if (mode) setMode(null);
});

composer?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const field = composer.elements.text;
  if (!field.value.trim()) return field.focus();
  const done = await say(mode?.kind === 'edit' ? { kind: 'edit', about: mode.id, text: field.value } : { text: field.value });
  if (done) field.value = '';
});

document.getElementById('mode-off')?.addEventListener('click', () => setMode(null));

for (const form of document.querySelectorAll('dialog form')) {
  form.addEventListener('submit', async (event) => {
    if (event.submitter?.value !== 'ok') return;
    const given = Object.fromEntries(new FormData(form)), phone = composer.dataset.phone;
    if (form.dataset.say === 'location') await say({ kind: 'location', location: { ...given, latitude: Number(given.latitude), longitude: Number(given.longitude) } });
    else if (form.dataset.say === 'contacts') await say({ kind: 'contacts', contacts: [given] });
    else if (await call('POST', `/sandbox/phones/${phone}/${form.dataset.act}`, given) === null) {
      if (form.dataset.act === 'number') location.href = `/?phone=${given.to}`;
      else await refresh();
    }
  });
}

const lines = document.getElementById('lines');
if (lines) lines.scrollTop = lines.scrollHeight;
setInterval(() => { if (!document.hidden) refresh(); }, 2000);
