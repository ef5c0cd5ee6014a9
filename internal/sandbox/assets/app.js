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

const moving = ['figures', 'phones', 'lines', 'block', 'faults'];

async function refresh() {
  let page;
  try {
    const answer = await fetch(location.href, { cache: 'no-store' });
    page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  } catch { return; }
  for (const id of moving) {
    const old = document.getElementById(id), fresh = page.getElementById(id);
    if (!old || !fresh || old.outerHTML === fresh.outerHTML || old.contains(document.activeElement) && id === 'faults') continue;
    const focused = old.contains(document.activeElement) && document.activeElement.getAttribute('href');
    const atEnd = old.scrollHeight - old.scrollTop - old.clientHeight < 40, top = old.scrollTop;
    old.replaceWith(document.adoptNode(fresh));
    fresh.scrollTop = id === 'lines' && atEnd ? fresh.scrollHeight : top;
    if (focused) fresh.querySelector(`a[href="${focused}"]`)?.focus();
  }
}

const faults = {
  cut: { drop: true },
  slow: { delay_ms: 2000 },
  drop: { accept_then_drop: true, probability: 0.2, seed: 1 },
  limit: { code: 130429, probability: 0.2, seed: 2 },
};

function same(fault, wanted) {
  return Object.keys(fault.match ?? {}).length === 0 &&
    Object.keys(wanted).every((key) => fault[key] === wanted[key]) && (wanted.probability !== undefined || fault.probability === undefined);
}

document.addEventListener('change', async (event) => {
  const box = event.target;
  if (box.dataset.fault) {
    const wanted = faults[box.dataset.fault];
    const list = await call('GET', '/sandbox/faults');
    if (!list) return;
    const rest = list.filter((fault) => !same(fault, wanted));
    await call('PUT', '/sandbox/faults', box.checked ? [...rest, wanted] : rest);
  } else if ('statuses' in box.dataset) {
    await call('PUT', '/sandbox/statuses', { off: box.checked });
  } else return;
  box.blur();
  refresh();
});

document.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  const path = `/sandbox/phones/${button.dataset.phone}/${button.dataset.act}`;
  await call('POST', path, button.dataset.act === 'block' ? { blocked: button.dataset.blocked !== 'true' } : {});
  refresh();
});

document.getElementById('reply')?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const form = event.target, text = form.elements.text;
  const done = await call('POST', `/sandbox/phones/${form.dataset.phone}/reply`, { number_id: form.elements.number_id.value, text: text.value });
  if (done === null) text.value = '';
  refresh();
});

const lines = document.getElementById('lines');
if (lines) lines.scrollTop = lines.scrollHeight;
setInterval(() => { if (!document.hidden) refresh(); }, 2000);
