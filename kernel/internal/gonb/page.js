// This script connects the page to the kernel. GoNB's widgets, and scripts in notebooks, exchange values with cells
// through the object gonb_comm. It opens another websocket to the kernel, since scripts in outputs cannot use that of
// the front end.
(() => {
  "use strict";
  const kernel = KERNEL;
  const known = globalThis.gonb_comm;
  if (known && known.kernel === kernel && known.hello && known.hello()) {
    return;
  }
  if (known) {
    known.close();
  }

  function random() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  }

  // channels returns the URL at which Jupyter's server forwards messages to the kernel.
  function channels() {
    const element = document.getElementById("jupyter-config-data");
    const config = element ? JSON.parse(element.textContent) : {};
    const url = new URL(config.wsUrl || config.baseUrl || document.body.dataset.baseUrl || "/", location.href);
    url.protocol = url.protocol.replace(/^http/, "ws");
    url.pathname = url.pathname.replace(/\/*$/, "/api/kernels/" + encodeURIComponent(kernel) + "/channels");
    if (config.token) {
      url.searchParams.set("token", config.token);
    }
    return url;
  }

  const session = random();
  const listeners = new Map(); // address -> Map(subscription -> function)
  const variables = new Map(); // address -> variable
  const waiting = []; // messages that were sent before the socket was open
  let comm = random();
  const socket = new WebSocket(channels());

  function post(type, content) {
    const header = {
      msg_id: random(), msg_type: type, session, username: "", date: new Date().toISOString(), version: "5.4",
    };
    const text = JSON.stringify({
      channel: "shell", header, parent_header: {}, metadata: {}, content, buffers: [],
      msg_id: header.msg_id, msg_type: type,
    });
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(text);
    } else if (socket.readyState === WebSocket.CONNECTING) {
      waiting.push(text);
    }
  }

  function deliver(address, value) {
    for (const f of [...(listeners.get(address) || new Map()).values()]) {
      try {
        f(address, value);
      } catch (err) {
        console.error("gonb_comm: a subscriber of " + address + " failed", err);
      }
    }
  }

  function variable(address, first) {
    let value = null;
    const subscribers = new Map();
    function change(next) {
      if (next === value) {
        return false;
      }
      value = next;
      for (const f of [...subscribers.values()]) {
        f(next);
      }
      return true;
    }
    api.subscribe(address, (_, next) => change(next));
    const v = {
      get: () => value,
      set(next) {
        if (change(next)) {
          api.send(address, next);
        }
      },
      subscribe(f) {
        const id = Symbol(address);
        subscribers.set(id, f);
        return id;
      },
      unsubscribe: (id) => subscribers.delete(id),
    };
    v.set(first);
    return v;
  }

  const api = {
    kernel,
    // hello tells the kernel that this page is connected. Each call opens a new comm, since the kernel may have started
    // a new worker process.
    hello() {
      if (socket.readyState !== WebSocket.OPEN && socket.readyState !== WebSocket.CONNECTING) {
        return false;
      }
      comm = random();
      post("comm_open", { comm_id: comm, target_name: "gonb_comm", data: {} });
      return true;
    },
    send: (address, value) => post("comm_msg", { comm_id: comm, data: { address, value } }),
    subscribe(address, f) {
      const id = Symbol(address);
      if (!listeners.has(address)) {
        listeners.set(address, new Map());
      }
      listeners.get(address).set(id, f);
      return id;
    },
    unsubscribe(id) {
      for (const subscriptions of listeners.values()) {
        subscriptions.delete(id);
      }
    },
    newSyncedVariable(address, value) {
      if (variables.has(address)) {
        variables.get(address).set(value);
      } else {
        variables.set(address, variable(address, value));
      }
      return variables.get(address);
    },
    close() {
      if (globalThis.gonb_comm === api) {
        delete globalThis.gonb_comm;
      }
      socket.close();
    },
  };
  globalThis.gonb_comm = api;

  socket.onopen = () => waiting.splice(0).forEach((text) => socket.send(text));
  socket.onclose = () => api.close();
  socket.onmessage = (event) => {
    if (typeof event.data !== "string") {
      return; // a message with buffers; messages for this script have none
    }
    const message = JSON.parse(event.data);
    if (message.header.msg_type === "comm_msg" && message.content.comm_id === comm) {
      deliver(message.content.data.address, message.content.data.value);
    }
  };
  api.hello();
})();
