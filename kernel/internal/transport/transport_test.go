package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

const watchdog = 2 * time.Minute

// A kernel is a transport under test, with its log.
type kernel struct {
	*ZMQ
	t   *testing.T
	log *logBuffer
}

type greeter struct{}

func (greeter) Welcome(topic string) [][]byte { return [][]byte{[]byte(topic), []byte("welcome")} }

func (greeter) Subscribed(send func([][]byte)) { send([][]byte{[]byte("state"), []byte("idle")}) }

type logBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func listenTCP(t *testing.T, limits Limits) *kernel {
	t.Helper()
	return listenOn(t, Connection{Transport: "tcp", IP: "127.0.0.1"}, limits)
}

func listenOn(t *testing.T, c Connection, limits Limits) *kernel {
	t.Helper()
	before := runtime.NumGoroutine()
	log := &logBuffer{}
	z, err := Listen(c, limits, greeter{}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		z.Close()
		// Close waits for the transport's goroutines; the goroutines of the test's peers may end later.
		eventually(t, "goroutines to end", func() bool { return runtime.NumGoroutine() <= before })
	})
	return &kernel{z, t, log}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(watchdog); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func (k *kernel) dial(port int) net.Conn {
	k.t.Helper()
	network, address := k.connection.address(port)
	c, err := net.Dial(network, address)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { c.Close() })
	return c
}

// peerOf opens a ZMTP connection as a front end does.
func (k *kernel) peerOf(port int, kind zmq4.SocketType, id string) *zmq4.Conn {
	k.t.Helper()
	c := k.dial(port)
	c.SetDeadline(time.Now().Add(watchdog))
	z, err := zmq4.Open(c, null.Security(), kind, zmq4.SocketIdentity(id), false, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	return z
}

func (k *kernel) subscriber(topic string) *zmq4.Conn {
	k.t.Helper()
	z := k.peerOf(k.connection.IOPubPort, zmq4.Sub, "")
	if err := z.SendMsg(zmq4.NewMsgString("\x01" + topic)); err != nil {
		k.t.Fatal(err)
	}
	if got := recv(k.t, z); string(got[1]) != "welcome" || string(got[0]) != topic {
		k.t.Fatalf("greeted with %q", got)
	}
	if topic == "" {
		if got := recv(k.t, z); string(got[0]) != "state" {
			k.t.Fatalf("told %q after the welcome", got)
		}
	}
	return z
}

func recv(t *testing.T, z *zmq4.Conn) [][]byte {
	t.Helper()
	msg, err := z.RecvMsg()
	if err != nil {
		t.Fatal(err)
	}
	return msg.Frames
}

// ask sends a message over shell and reads the kernel's answer to it.
func (k *kernel) ask(z *zmq4.Conn, text string) {
	k.t.Helper()
	if err := z.SendMsg(zmq4.NewMsgFrom([]byte("part"), []byte(text))); err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), watchdog)
	defer cancel()
	for {
		p, err := k.Shell().Recv(ctx)
		if err != nil {
			k.t.Fatal(err)
		}
		if len(p.Frames) != 2 || string(p.Frames[1]) != text {
			continue // another peer's
		}
		p.Frames = [][]byte{[]byte("re"), p.Frames[1]}
		if err := k.Shell().Send(p); err != nil {
			k.t.Fatal(err)
		}
		break
	}
	if got := recv(k.t, z); len(got) != 2 || string(got[0]) != "re" || string(got[1]) != text {
		k.t.Fatalf("answered %q", got)
	}
}

// works checks that a well-behaved front end is served on all five sockets.
func (k *kernel) works() {
	k.t.Helper()
	k.ask(k.peerOf(k.connection.ShellPort, zmq4.Dealer, ""), "hello")
	s := k.subscriber("")
	if err := k.IOPub().Publish([][]byte{[]byte("topic"), []byte("news")}); err != nil {
		k.t.Fatal(err)
	}
	if got := recv(k.t, s); string(got[1]) != "news" {
		k.t.Fatalf("published %q", got)
	}
	k.beats()
}

func (k *kernel) beats() {
	k.t.Helper()
	z := k.peerOf(k.connection.HBPort, zmq4.Req, "")
	if err := z.SendMsg(zmq4.NewMsgFrom(nil, []byte("ping"))); err != nil {
		k.t.Fatal(err)
	}
	if got := recv(k.t, z); len(got) != 2 || string(got[1]) != "ping" {
		k.t.Fatalf("echo %q", got)
	}
}

func (k *kernel) ports() []int {
	c := k.connection
	return []int{c.ShellPort, c.ControlPort, c.StdinPort, c.IOPubPort, c.HBPort}
}

func TestTCP(t *testing.T) { listenTCP(t, DefaultLimits()).works() }

func TestIPCForTheOwnerAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	c := Connection{Transport: "ipc", IP: path, ShellPort: 1, IOPubPort: 2, StdinPort: 3, ControlPort: 4, HBPort: 5}
	k := listenOn(t, c, DefaultLimits())
	k.works()
	for i := range 5 {
		info, err := os.Stat(fmt.Sprintf("%s-%d", path, i+1))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("socket %d has mode %v", i+1, info.Mode())
		}
	}
	if _, err := Listen(c, DefaultLimits(), greeter{}, slog.Default()); err == nil {
		t.Error("a second kernel took the sockets of a living one")
	}
	k.Close()
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("left behind %v, %v", left, err)
	}
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k")
	ln, err := net.Listen("unix", path+"-1")
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	ln.Close()
	c := Connection{Transport: "ipc", IP: path, ShellPort: 1, IOPubPort: 2, StdinPort: 3, ControlPort: 4, HBPort: 5}
	listenOn(t, c, DefaultLimits()).works()
}

func TestReconnectingPeerTakesItsIdentityOver(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	old := k.peerOf(k.connection.ShellPort, zmq4.Dealer, "me")
	k.ask(old, "first")
	again := k.peerOf(k.connection.ShellPort, zmq4.Dealer, "me")
	k.ask(again, "second")
	if _, err := old.RecvMsg(); err == nil {
		t.Error("the old connection is still served")
	}
	k.ask(again, "third")
}

func TestSendToNobody(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	if err := k.Shell().Send(Packet{Identity: "nobody"}); !errors.Is(err, ErrNoPeer) {
		t.Errorf("error %v, want ErrNoPeer", err)
	}
}

func TestSubscriptions(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	all, some := k.subscriber(""), k.subscriber("b")
	for _, topic := range []string{"a", "b1", "c", "b2"} {
		if err := k.IOPub().Publish([][]byte{[]byte(topic)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"b1", "b2"} {
		if got := recv(t, some); string(got[0]) != want {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	for _, want := range []string{"a", "b1", "c", "b2"} {
		if got := recv(t, all); string(got[0]) != want {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	if err := some.SendMsg(zmq4.NewMsgString("\x00b")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of a subscription", func() bool {
		k.iopub.mu.Lock()
		defer k.iopub.mu.Unlock()
		n := 0
		for _, s := range k.iopub.subs {
			n += len(s.topics)
		}
		return n == 1
	})
}

// TestPong checks that a PING is answered with its context, between messages.
func TestPong(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	z := k.peerOf(k.connection.ShellPort, zmq4.Dealer, "")
	if err := z.SendCmd("PING", []byte("\x00\x0acontext")); err != nil {
		t.Fatal(err)
	}
	cmd, err := z.RecvCmd()
	if err != nil || cmd.Name != "PONG" || string(cmd.Body) != "context" {
		t.Errorf("answered %+v, %v", cmd, err)
	}
	k.ask(z, "still here")
}

func TestConnectionFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.json")
	for _, test := range []struct{ text, want string }{
		{`{"transport":"tcp","ip":"127.0.0.1","shell_port":5,"key":"k"}`, ""},
		{`{"ip":"127.0.0.1"}`, ""},
		{`{"transport":"udp"}`, "udp"},
		{`{"curve_publickey":"x","curve_secretkey":"y"}`, "Curve"},
		{`not json`, "malformed"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadConnection(path)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.text, err, test.want)
		}
	}
	if _, err := ReadConnection(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
	c := Connection{Transport: "tcp", IP: "::1", ShellPort: 7}
	if got := c.Endpoint(c.ShellPort); got != "tcp://[::1]:7" {
		t.Errorf("endpoint %s", got)
	}
}

func TestBusyPort(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	c := Connection{Transport: "tcp", IP: "127.0.0.1", HBPort: k.connection.HBPort}
	if _, err := Listen(c, DefaultLimits(), greeter{}, slog.Default()); err == nil || !strings.Contains(err.Error(), "heartbeat") {
		t.Errorf("error %v, want one that names the socket", err)
	}
}
