package faulttest

import (
	"errors"
	"syscall"
)

// loopback connects processes by the loopback interface and proxies. The link of a process
// with workers is cut by its proxies; the link of a server is cut by stopping the server,
// which then neither answers nor ends its connections.
type loopback struct{ routes []string }

func (l *loopback) name() string             { return "loopback" }
func (l *loopback) address() string          { return "127.0.0.1" }
func (l *loopback) isDirect() bool           { return false }
func (l *loopback) prepare(*process)         {}
func (l *loopback) join(*process) error      { return nil }
func (l *loopback) cut(p *process) error     { return l.set(p, (*link).cut, syscall.SIGSTOP) }
func (l *loopback) restore(p *process) error { return l.set(p, (*link).restore, syscall.SIGCONT) }

func (l *loopback) set(p *process, change func(*link), s syscall.Signal) error {
	switch {
	case p.link != nil:
		change(p.link)
		return nil
	case p.cmd != nil:
		return p.cmd.Process.Signal(s)
	}
	return errors.New("a process without a link")
}

func (l *loopback) server(i int) config {
	return config{Host: "127.0.0.1", ClientPort: -1, ClusterPort: -1, Advertise: l.routes[i], Routes: l.routes}
}

// newLoopback makes the network with the proxies by which servers reach each other.
func newLoopback(n *nodes) (network, error) {
	l := new(loopback)
	for i := range n.inbound {
		p, err := newProxy("127.0.0.1", "", newLink())
		if err != nil {
			return nil, err
		}
		n.t.Cleanup(func() { p.listener.Close() })
		n.inbound[i] = p
		l.routes = append(l.routes, p.address())
	}
	return l, nil
}
