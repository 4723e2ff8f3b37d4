package transport

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"golang.org/x/sync/semaphore"
)

func TestSilentConnectionsKeepNobodyWaiting(t *testing.T) {
	l := DefaultLimits()
	l.HandshakeTimeout = time.Hour
	k := listenTCP(t, l)
	for _, port := range k.ports() {
		for range 20 {
			k.dial(port)
		}
	}
	k.works()
}

func TestSilentConnectionIsDropped(t *testing.T) {
	l := DefaultLimits()
	l.HandshakeTimeout = 300 * time.Millisecond
	k := listenTCP(t, l)
	c := k.dial(k.connection.ShellPort)
	c.SetReadDeadline(time.Now().Add(watchdog))
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("still open: %v", err)
	}
	eventually(t, "a line in the log", func() bool { return strings.Contains(k.log.String(), "handshake") })
}

func TestRandomBytesOnEverySocket(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	r := rand.New(rand.NewPCG(1, 2))
	for _, port := range k.ports() {
		for i := range 50 {
			noise := make([]byte, r.IntN(4096))
			for j := range noise {
				noise[j] = byte(r.Uint32())
			}
			if i%2 == 1 { // send a valid greeting first
				noise = append(greeting(), noise...)
			}
			k.dial(port).Write(noise)
		}
	}
	k.works()
}

func greeting() []byte {
	g := make([]byte, greetingSize)
	g[0], g[9], g[10] = 0xff, 0x7f, 3
	copy(g[12:], "NULL")
	return g
}

// command frames a ZMTP command.
func command(name, body string) []byte {
	return append([]byte{flagCommand, byte(1 + len(name) + len(body)), byte(len(name))}, name+body...)
}

func property(key, value string) string {
	size := binary.BigEndian.AppendUint32(nil, uint32(len(value)))
	return string(byte(len(key))) + key + string(size) + value
}

// TestBadMetadata sends metadata on which zmq4 v0.17.0 panics.
func TestBadMetadata(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	for name, body := range map[string]string{
		"cut short":           property("Socket-Type", "DEALER")[:14],
		"one byte":            "\x01",
		"length past the end": "\x05abcde\xff\xff\xff\xff",
		"unknown type":        property("Socket-Type", "TELEPHONE"),
		"no type":             property("Identity", "x"),
		"wrong type":          property("Socket-Type", "PUB"),
	} {
		t.Run(name, func(t *testing.T) {
			c := k.dial(k.connection.ShellPort)
			if _, err := c.Write(append(greeting(), command("READY", body)...)); err != nil {
				t.Fatal(err)
			}
			c.SetReadDeadline(time.Now().Add(watchdog))
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("still open: %v", err)
			}
		})
	}
	k.works()
}

// established returns a raw connection after the handshake.
func (k *kernel) established(port int, kind string) net.Conn {
	k.t.Helper()
	c := k.dial(port)
	if _, err := c.Write(append(greeting(), command("READY", property("Socket-Type", kind))...)); err != nil {
		k.t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(watchdog))
	head := make([]byte, greetingSize+2)
	if _, err := io.ReadFull(c, head); err != nil {
		k.t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, c, int64(head[greetingSize+1])); err != nil {
		k.t.Fatal(err)
	}
	return c
}

func longFrame(flags byte, size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{flags | flagLong}, size)
}

func TestBrokenFrames(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	many := bytes.Repeat([]byte{flagMore, 0}, maxFrames+1)
	for name, data := range map[string][]byte{
		"size of 2^63":       longFrame(0, 1<<63),
		"size of 2^62":       longFrame(0, 1<<62),
		"over the limit":     longFrame(0, 1<<30),
		"over it in two":     append(append(longFrame(flagMore, 100), make([]byte, 100)...), longFrame(0, 64<<20)...),
		"too many frames":    many,
		"unknown flags":      {0x80, 0},
		"command in message": {flagMore, 0, flagCommand, 0},
		"huge command":       longFrame(flagCommand, 1<<20),
		"long PING context":  command("PING", strings.Repeat("x", 2+17)),
	} {
		t.Run(name, func(t *testing.T) {
			c := k.established(k.connection.ShellPort, "DEALER")
			c.Write(data) // may fail, since the kernel closes the connection
			if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("still open: %v", err)
			}
		})
	}
	k.works()
}

func TestUnfinishedMessageIsDropped(t *testing.T) {
	l := DefaultLimits()
	l.ReceiveTimeout = 500 * time.Millisecond
	k := listenTCP(t, l)
	c := k.established(k.connection.ShellPort, "DEALER")
	if _, err := c.Write([]byte{flagMore, 3, 'a', 'b', 'c', 0}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Errorf("still open: %v", err)
	}
}

func TestSubscriberThatSaysSomethingElse(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	for name, data := range map[string][]byte{
		"two frames":        {flagMore, 1, 1, 0, 1, 'x'},
		"empty":             {0, 0},
		"not a command":     {0, 1, 2},
		"too long":          longFrame(0, maxSubscription+1),
		"too many of them":  manySubscriptions(),
		"a message for all": append([]byte{0, 200}, make([]byte, 200)...)[:1],
	} {
		t.Run(name, func(t *testing.T) {
			c := k.established(k.connection.IOPubPort, "SUB")
			c.Write(data)
			if name == "a message for all" {
				c.(*net.TCPConn).CloseWrite()
			}
			if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("still open: %v", err)
			}
		})
	}
	k.works()
}

func manySubscriptions() []byte {
	var b []byte
	for i := range maxSubscriptions + 1 {
		b = append(b, 0, 2, 1, byte(i))
	}
	return b
}

// TestThousandConnections opens connections to every socket: silent connections, and connections that have completed
// the handshake: other peers can still connect, and the number of connections stays bounded.
func TestThousandConnections(t *testing.T) {
	l := DefaultLimits()
	l.Connections = 64
	l.HandshakeTimeout = time.Hour
	k := listenTCP(t, l)
	front := k.peerOf(k.connection.ShellPort, zmq4.Dealer, "front")
	k.ask(front, "before")
	sub := k.subscriber("")
	kinds := []string{"DEALER", "DEALER", "DEALER", "SUB", "REQ"}
	for i := range 200 {
		for j, port := range k.ports() {
			c := k.dial(port)
			if i%2 == 0 {
				c.Write(append(greeting(), command("READY", property("Socket-Type", kinds[j]))...))
			}
		}
	}
	k.works()
	k.ask(front, "after")
	if err := k.IOPub().Publish([][]byte{[]byte("t"), []byte("after")}); err != nil {
		t.Fatal(err)
	}
	for {
		if got := recv(t, sub); string(got[1]) == "after" {
			break
		}
	}
	for _, ln := range k.listeners {
		ln.mu.Lock()
		if n := ln.peers.Len(); n > l.Connections {
			t.Errorf("%d connections are open, more than %d", n, l.Connections)
		}
		ln.mu.Unlock()
	}
}

// TestIncomingMemoryIsBounded: many unauthenticated peers begin large messages.
func TestIncomingMemoryIsBounded(t *testing.T) {
	l := DefaultLimits()
	l.Incoming = 64 << 20
	l.ReceiveTimeout = 2 * time.Second
	k := listenTCP(t, l)
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 40 {
		c := k.established(k.connection.ShellPort, "DEALER")
		c.Write(longFrame(0, 30<<20))
	}
	k.ask(k.peerOf(k.connection.ShellPort, zmq4.Dealer, ""), "small ones get through")
	runtime.ReadMemStats(&during)
	if grown := int(during.HeapAlloc) - int(before.HeapAlloc); grown > l.Incoming+16<<20 {
		t.Errorf("the heap grew by %d MB, allowed are %d", grown>>20, l.Incoming>>20)
	}
}

func TestPeerThatDoesNotReadItsReplies(t *testing.T) {
	l := DefaultLimits()
	l.Replies = 1 << 20
	k := listenTCP(t, l)
	z := k.peerOf(k.connection.ShellPort, zmq4.Dealer, "deaf")
	k.ask(z, "hello")
	reply := Packet{Identity: "deaf", Frames: [][]byte{make([]byte, 256<<10)}}
	eventually(t, "the deaf peer to be dropped", func() bool { return k.Shell().Send(reply) != nil })
	if !strings.Contains(k.log.String(), "does not read its replies") {
		t.Errorf("log: %s", k.log)
	}
	k.works()
}

// memoryConn provides fixed bytes to a checkedConn.
type memoryConn struct {
	net.Conn
	io.Reader
}

func (c memoryConn) Read(p []byte) (int, error)      { return c.Reader.Read(p) }
func (c memoryConn) Write(p []byte) (int, error)     { return len(p), nil }
func (c memoryConn) SetReadDeadline(time.Time) error { return nil }
func (c memoryConn) SetDeadline(time.Time) error     { return nil }
func (c memoryConn) Close() error                    { return nil }

// FuzzPeer passes arbitrary bytes to the handshake and to the message reader.
func FuzzPeer(f *testing.F) {
	hello := append(greeting(), command("READY", property("Socket-Type", "DEALER"))...)
	f.Add(append(hello, 0, 5, 'h', 'e', 'l', 'l', 'o'))
	f.Add(append(hello, command("PING", "\x00\x01x")...))
	f.Add(append(hello, longFrame(flagMore, 20<<10)...))
	f.Add(append(greeting(), command("READY", "\x05abc")...))
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := DefaultLimits()
		limits.Message = 1 << 16
		l := &listener{kind: zmq4.Router, limits: limits}
		p := &peer{checkedConn: fuzzGuard(data, limits)}
		if l.handshake(p) != nil {
			return
		}
		for {
			frames, err := p.recv()
			if err != nil {
				break
			}
			total := 0
			for _, frame := range frames {
				total += len(frame)
			}
			if len(frames) == 0 || len(frames) > maxFrames || total > limits.Message {
				t.Fatalf("%d frames of %d bytes came through", len(frames), total)
			}
			p.release()
		}
		p.release()
		if !p.budget.TryAcquire(int64(limits.Incoming)) {
			t.Fatal("memory is still reserved after the end")
		}
	})
}

func fuzzGuard(data []byte, l Limits) *checkedConn {
	budget := semaphore.NewWeighted(int64(l.Incoming))
	return newCheckedConn(memoryConn{Reader: bytes.NewReader(data)}, l, l.Message, budget)
}
