package faulttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const nodeCount = 3

// A process is a server or a process with workers.
type process struct {
	config config
	role   string
	cmd    *exec.Cmd
	stdin  io.Closer
	link   *link  // of a client whose bytes go through proxies
	outer  string // the interface at the bridge
}

// A network connects the processes of the test.
type network interface {
	// name returns the kind of the network.
	name() string
	// address returns the host of the test's own process.
	address() string
	// isDirect reports whether processes connect to the servers, and not to proxies.
	isDirect() bool
	// server returns the config of node i, without its name and store.
	server(i int) config
	// prepare changes a process that starts; join is called when it runs.
	prepare(p *process)
	join(p *process) error
	// cut and restore break and mend the link of a process.
	cut(p *process) error
	restore(p *process) error
}

// nodes is the cluster of servers, and the processes that use it.
type nodes struct {
	t       *testing.T
	net     network
	folder  string
	servers [nodeCount]*process
	targets [nodeCount]struct{ client, cluster string }
	clients [nodeCount][]*proxy // by node
	inbound [nodeCount]*proxy   // of routes, on loopback
}

// proxies makes proxies to all servers, and returns their URLs.
func (n *nodes) proxies(l *link) string {
	n.t.Helper()
	var urls []string
	for i := range n.servers {
		p, err := newProxy(n.net.address(), n.targets[i].client, l)
		if err != nil {
			n.t.Fatal(err)
		}
		n.t.Cleanup(func() { p.listener.Close() })
		n.clients[i] = append(n.clients[i], p)
		urls = append(urls, "nats://"+p.address())
	}
	return strings.Join(urls, ",")
}

// startServer starts node i, again if it ran before.
func (n *nodes) startServer(i int) {
	n.t.Helper()
	c := n.net.server(i)
	c.Name = fmt.Sprintf("node%d", i+1)
	c.Store = filepath.Join(n.folder, c.Name)
	p := &process{config: c, role: "server"}
	out := n.run(p)
	var at ports
	if err := json.NewDecoder(out).Decode(&at); err != nil {
		n.t.Fatalf("%s did not start: %v", c.Name, err)
	}
	n.servers[i] = p
	n.targets[i].client = net.JoinHostPort(c.Host, strconv.Itoa(at.Client))
	n.targets[i].cluster = net.JoinHostPort(c.Host, strconv.Itoa(at.Cluster))
	for _, p := range n.clients[i] {
		p.setTarget(n.targets[i].client)
	}
	if p := n.inbound[i]; p != nil {
		p.setTarget(n.targets[i].cluster)
	}
}

// startWorkers starts a process with workers. If proxied is true, its bytes go through
// proxies.
func (n *nodes) startWorkers(name string, workers int, proxied bool) *process {
	n.t.Helper()
	return n.startClient("worker", name, proxied, config{Workers: workers})
}

// startClient starts a process that connects to the servers, and waits until it is ready.
func (n *nodes) startClient(role, name string, proxied bool, c config) *process {
	n.t.Helper()
	c.Name = name
	p := &process{role: role, config: c}
	if proxied || !n.net.isDirect() {
		p.link = newLink()
		p.config.URL = n.proxies(p.link)
	} else {
		var urls []string
		for _, t := range n.targets {
			urls = append(urls, "nats://"+t.client)
		}
		p.config.URL = strings.Join(urls, ",")
	}
	out := n.run(p)
	var ready string
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		n.t.Fatalf("%s did not start: %v", name, err)
	}
	return p
}

// run starts a process, and returns its standard output.
func (n *nodes) run(p *process) io.Reader {
	n.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	n.net.prepare(p)
	text, err := json.Marshal(p.config)
	if err != nil {
		n.t.Fatal(err)
	}
	p.cmd.Env = append(os.Environ(), roleVariable+"="+p.role, configVariable+"="+string(text), nameVariable+"="+p.config.Name)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		n.t.Fatal(err)
	}
	p.stdin = in
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		in.Close()
		_ = p.cmd.Wait()
	})
	if err := n.net.join(p); err != nil {
		n.t.Fatal(err)
	}
	if _, err := io.WriteString(in, "\n"); err != nil {
		n.t.Fatal(err)
	}
	return out
}

// kill kills a process with SIGKILL.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = p.cmd.Wait()
}
