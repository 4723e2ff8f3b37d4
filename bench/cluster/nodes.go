package main

import (
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
	go s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(time.Minute) {
		return fmt.Errorf("the NATS server on port %d of 127.0.0.1 does not accept connections after a minute", n.Port)
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
	<-ctx.Done()
	return nil
}

// startNodes starts count servers, which form a cluster if there are several, and waits until
// they answer.
func startNodes(ctx context.Context, count int) (urls string, stop func(), err error) {
	folder, err := os.MkdirTemp("", "perijove-nodes-")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop = func() {
		cancel()
		_ = os.RemoveAll(folder)
	}
	var list []string
	nodes := make([]node, count)
	ports, err := freePorts(2 * count)
	for i := range nodes {
		if err == nil {
			nodes[i] = node{Name: fmt.Sprint("node", i), Port: ports[i], Cluster: ports[count+i], Routes: ports[count:], Folder: fmt.Sprintf("%s/%d", folder, i)}
			list = append(list, fmt.Sprintf("nats://127.0.0.1:%d", ports[i]))
			_, err = mp.Start(ctx, mp.Processes, serve, nodes[i])
		}
	}
	urls = strings.Join(list, ",")
	for i := range nodes {
		if err == nil {
			_, err = usageOf(list[i], nodes[i].Name)
		}
	}
	if err != nil {
		stop()
		return "", nil, err
	}
	return urls, stop, nil
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
