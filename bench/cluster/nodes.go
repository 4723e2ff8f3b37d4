package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/perijove/perijove/lib/mp"
)

const (
	nodeToken    = "the token of the benchmark"
	usageSubject = "bench.usage"
)

// A node is a NATS server in a child process.
type node struct {
	Name          string
	Port, Cluster int
	Routes        []int // the ports at which the servers of a cluster connect to each other
	Folder        string
}

// A usage is what a server has done since it started.
type usage struct {
	CPU                 time.Duration
	In, Out             int64 // numbers of messages received and sent
	BytesIn, BytesOut   int64
	Memory, Connections int64
}

func (u usage) minus(v usage) usage {
	u.CPU -= v.CPU
	u.In, u.Out, u.BytesIn, u.BytesOut = u.In-v.In, u.Out-v.Out, u.BytesIn-v.BytesIn, u.BytesOut-v.BytesOut
	return u
}

// serve runs a server until ctx ends. It answers requests for its usage.
func serve(ctx context.Context, n node) error {
	o := &server.Options{ServerName: n.Name, Host: "127.0.0.1", Port: n.Port, Authorization: nodeToken, JetStream: true, StoreDir: n.Folder, NoSigs: true, NoLog: true}
	if len(n.Routes) > 1 {
		o.Cluster = server.ClusterOpts{Name: "bench", Host: "127.0.0.1", Port: n.Cluster}
		for _, port := range n.Routes {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: fmt.Sprintf("127.0.0.1:%d", port)})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	failed := make(fatalErrors, 1)
	s.SetLogger(failed, false, false)
	go s.Start()
	defer s.Shutdown()
	ready := make(chan bool, 1)
	go func() { ready <- s.ReadyForConnections(time.Minute) }()
	select {
	case err := <-failed:
		return err
	case ok := <-ready:
		if !ok {
			return fmt.Errorf("the NATS server on port %d of 127.0.0.1 does not accept connections after a minute", n.Port)
		}
	}
	nc, err := nats.Connect(s.ClientURL(), nats.Token(nodeToken), nats.InProcessServer(s))
	if err != nil {
		return err
	}
	defer nc.Close()
	if _, err := nc.Subscribe(usageSubject+"."+n.Name, func(m *nats.Msg) {
		v, err := s.Varz(nil)
		if err != nil {
			return // the request times out
		}
		text, _ := json.Marshal(usage{processorTime(), v.InMsgs, v.OutMsgs, v.InBytes, v.OutBytes, v.Mem, int64(v.Connections)})
		_ = m.Respond(text)
	}); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// fatalErrors is a logger of a server that keeps the first error after which the server does not
// run, such as a port that another process uses.
type fatalErrors chan error

func (f fatalErrors) Fatalf(format string, args ...any) {
	select {
	case f <- fmt.Errorf(format, args...):
	default:
	}
}

func (f fatalErrors) Errorf(string, ...any)  {}
func (f fatalErrors) Warnf(string, ...any)   {}
func (f fatalErrors) Noticef(string, ...any) {}
func (f fatalErrors) Debugf(string, ...any)  {}
func (f fatalErrors) Tracef(string, ...any)  {}

// startTries is how often startNodes tries to start servers.
const startTries = 5

// startNodes starts count servers, which form a cluster if there are several, and waits until
// they answer. Another process may take a port before a server listens on it: then startNodes
// tries again with other ports.
func startNodes(ctx context.Context, count int) (urls string, stop func(), err error) {
	for range startTries {
		var ports []int
		if ports, err = freePorts(2 * count); err == nil {
			urls, stop, err = startNodesAt(ctx, ports[:count], ports[count:])
		}
		if err == nil {
			return urls, stop, nil
		}
	}
	return "", nil, err
}

// startNodesAt starts a server for each port. The servers connect to each other at the ports of
// routes.
func startNodesAt(ctx context.Context, ports, routes []int) (urls string, stop func(), err error) {
	folder, err := os.MkdirTemp("", "perijove-nodes-")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	var running []*mp.Process
	stop = func() {
		cancel()
		for _, p := range running {
			<-p.Done()
		}
		_ = os.RemoveAll(folder)
	}
	var list []string
	for i, port := range ports {
		n := node{Name: fmt.Sprint("node", i), Port: port, Cluster: routes[i], Routes: routes, Folder: fmt.Sprintf("%s/%d", folder, i)}
		list = append(list, fmt.Sprintf("nats://127.0.0.1:%d", port))
		p, err := mp.Start(ctx, mp.Processes, serve, n)
		if err != nil {
			stop()
			return "", nil, err
		}
		running = append(running, p)
	}
	for i, p := range running {
		if err := await(p, list[i], fmt.Sprint("node", i)); err != nil {
			stop()
			return "", nil, err
		}
	}
	return strings.Join(list, ","), stop, nil
}

// await waits until a server answers, or until its process has ended.
func await(p *mp.Process, url, name string) error {
	answered := make(chan error, 1)
	go func() {
		_, err := usageOf(url, name)
		answered <- err
	}()
	select {
	case err := <-answered:
		return err
	case <-p.Done():
		return fmt.Errorf("the server at %s has ended: %w", url, cmp.Or(p.Join(context.Background()), context.Canceled))
	}
}

// freePorts returns n ports that no process used when it looked.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// usageOf asks a server for its usage. It tries for a minute, since the server may not be
// ready yet.
func usageOf(url, name string) (u usage, err error) {
	for last := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var nc *nats.Conn
		if nc, err = nats.Connect(url, nats.Token(nodeToken)); err == nil {
			var m *nats.Msg
			if m, err = nc.Request(usageSubject+"."+name, nil, 5*time.Second); err == nil {
				err = json.Unmarshal(m.Data, &u)
			}
			nc.Close()
		}
		if err == nil || time.Now().After(last) {
			return u, err
		}
	}
}
