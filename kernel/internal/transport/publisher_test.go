package transport

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

func numbered(i, size int) [][]byte {
	body := make([]byte, size)
	binary.BigEndian.PutUint32(body, uint32(i))
	return [][]byte{[]byte("t"), body}
}

// readNumbered checks that messages from..to arrive complete and in order.
func readNumbered(t *testing.T, z *zmq4.Conn, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		got := recv(t, z)
		if n := binary.BigEndian.Uint32(got[1]); int(n) != i {
			t.Fatalf("got message %d, want %d", n, i)
		}
	}
}

const (
	messageSize = 64 << 10
	messages    = 1600 // 100 MB
)

func (k *kernel) publishAll() error {
	for i := range messages {
		if err := k.IOPub().Publish(numbered(i, messageSize)); err != nil {
			return err
		}
	}
	return nil
}

// TestBackPressure: a subscriber that pauses gets all of 100 MB in order, and at most the
// backlog is queued for it.
func TestBackPressure(t *testing.T) {
	l := DefaultLimits()
	l.Backlog = 1 << 20
	k := listenTCP(t, l)
	z := k.subscriber("")
	done := make(chan error, 1)
	go func() { done <- k.publishAll() }()
	for i := 0; i < messages; i += 100 {
		readNumbered(t, z, i, i+100)
		if n := k.backlog(); n > l.Backlog+2*messageSize {
			t.Errorf("%d bytes are queued, allowed are %d", n, l.Backlog)
		}
		if i%400 == 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func (k *kernel) backlog() int {
	k.iopub.mu.Lock()
	defer k.iopub.mu.Unlock()
	n := 0
	for p := range k.iopub.subs {
		n = max(n, p.out.backlog())
	}
	return n
}

// TestStoppedSubscriberAlone: the publisher continues after StallTimeout.
func TestStoppedSubscriberAlone(t *testing.T) {
	l := DefaultLimits()
	l.Backlog = 1 << 20
	l.StallTimeout = 300 * time.Millisecond
	k := listenTCP(t, l)
	k.subscriber("")
	if err := k.publishAll(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(k.log.String(), "reads nothing") {
		t.Errorf("log: %s", k.log)
	}
}

// TestStoppedSubscriberAmongOthers: a stopped subscriber is disconnected, and the others
// lose no message.
func TestStoppedSubscriberAmongOthers(t *testing.T) {
	l := DefaultLimits()
	l.Backlog = 1 << 20
	l.LagTimeout = 200 * time.Millisecond
	k := listenTCP(t, l)
	k.subscriber("") // reads nothing
	good := k.subscriber("")
	done := make(chan error, 1)
	go func() { done <- k.publishAll() }()
	readNumbered(t, good, 0, messages)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(k.log.String(), "delays the other subscribers") {
		t.Errorf("log: %s", k.log)
	}
}

// TestTricklingSubscriberAmongOthers: a subscriber that takes a few bytes from time to time does not slow down the
// others.
func TestTricklingSubscriberAmongOthers(t *testing.T) {
	l := DefaultLimits()
	l.Backlog = 1 << 20
	l.LagTimeout = 200 * time.Millisecond
	k := listenTCP(t, l)
	trickle, good := k.subscriber(""), k.subscriber("")
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				if _, err := trickle.RecvMsg(); err != nil {
					return
				}
			}
		}
	}()
	go k.publishAll()
	readNumbered(t, good, 0, messages)
	// Small messages of a later cell reach the good subscriber, too.
	if err := k.IOPub().Publish(numbered(messages, 4)); err != nil {
		t.Fatal(err)
	}
	readNumbered(t, good, messages, messages+1)
}

// TestPublishNow: a status is delivered while Publish blocks.
func TestPublishNow(t *testing.T) {
	l := DefaultLimits()
	l.Backlog = 1 << 20
	k := listenTCP(t, l)
	z := k.subscriber("")
	done := make(chan error, 1)
	go func() { done <- k.publishAll() }()
	eventually(t, "the publisher to wait", func() bool {
		k.iopub.mu.Lock()
		defer k.iopub.mu.Unlock()
		return k.iopub.waiting > 0
	})
	if err := k.IOPub().PublishNow([][]byte{[]byte("now"), []byte("idle")}); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < messages; {
		got := recv(t, z)
		if string(got[0]) == "now" {
			continue
		}
		if n := int(binary.BigEndian.Uint32(got[1])); n != i {
			t.Fatalf("got message %d, want %d", n, i)
		}
		i++
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestHeartbeatBesideEverything: heartbeats are answered while iopub is blocked and no
// goroutine reads shell.
func TestHeartbeatBesideEverything(t *testing.T) {
	l := DefaultLimits()
	l.Backlog = 1 << 20
	k := listenTCP(t, l)
	k.subscriber("")
	go k.publishAll()
	z := k.peerOf(k.connection.ShellPort, zmq4.Dealer, "")
	go func() {
		for z.SendMsg(zmq4.NewMsg(make([]byte, 1<<20))) == nil {
		}
	}()
	for range 20 {
		k.beats()
	}
}

func TestCloseEndsAWaitingPublisher(t *testing.T) {
	l := DefaultLimits()
	l.Backlog = 1 << 20
	k := listenTCP(t, l)
	k.subscriber("")
	done := make(chan error, 1)
	go func() { done <- k.publishAll() }()
	eventually(t, "the publisher to wait", func() bool {
		k.iopub.mu.Lock()
		defer k.iopub.mu.Unlock()
		return k.iopub.waiting > 0
	})
	k.Close()
	if err := <-done; err != ErrClosed {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

// TestReusableFrames: the memory of frames is released once, when every subscriber has taken them or is disconnected.
func TestReusableFrames(t *testing.T) {
	k := listenTCP(t, DefaultLimits())
	var released atomic.Int32
	publish := func(i int) {
		t.Helper()
		if err := k.IOPub().PublishReusable(numbered(i, messageSize), func() { released.Add(1) }); err != nil {
			t.Fatal(err)
		}
	}
	publish(0)
	if n := released.Load(); n != 1 {
		t.Fatalf("without subscribers, released %d times, want 1", n)
	}
	first, second := k.subscriber(""), k.subscriber("")
	for i := range 10 {
		publish(i)
	}
	readNumbered(t, first, 0, 10)
	readNumbered(t, second, 0, 10)
	eventually(t, "the frames to be released", func() bool { return released.Load() == 11 })

	const more = 200 // messages that stay in the queue of a subscriber that does not read
	go func() {
		for i := range more {
			_ = k.IOPub().PublishReusable(numbered(i, messageSize), func() { released.Add(1) })
		}
	}()
	readNumbered(t, first, 0, more)
	second.Close()
	eventually(t, "the frames of a closed subscriber to be released", func() bool { return released.Load() == 11+more })
}

// TestHold: held messages arrive in order after the release, and a held publisher that waits for a subscriber is not
// blocked forever.
func TestHold(t *testing.T) {
	l := DefaultLimits()
	l.Backlog = 1 << 20
	k := listenTCP(t, l)
	z := k.subscriber("")
	release, other := k.IOPub().Hold(), k.IOPub().Hold()
	for i := range 3 {
		if err := k.IOPub().PublishNow(numbered(i, 100)); err != nil {
			t.Fatal(err)
		}
	}
	release()
	other()
	readNumbered(t, z, 0, 3)

	release = k.IOPub().Hold()
	done := make(chan error, 1)
	go func() {
		done <- k.publishAll()
		release()
	}()
	readNumbered(t, z, 0, messages)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
