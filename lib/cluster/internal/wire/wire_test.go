package wire

import (
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// messages has one message of each kind, with the functions that encode and decode it.
var messages = []struct {
	value  any
	encode func(v any) []byte
	decode func(b []byte) (any, error)
}{
	{
		&Batch{Pool: "p", ID: 1 << 40, Tries: 3, MaxValue: 1 << 20, FuncID: "\x00id", FuncName: "main.f", Arg: "int", Result: "string",
			Function: "f", Hash: [32]byte{7, 31: 9},
			Settings: Value{Object, []byte("p.def")}, Args: []Value{{Inline, []byte("arg")}, {Object, []byte("p.abc")}, {Inline, []byte{}}}, Numbers: []uint64{7, 1 << 60, 3}},
		func(v any) []byte { return v.(*Batch).Encode() }, func(b []byte) (any, error) { return DecodeBatch(b) },
	},
	{
		&Result{Pool: "p", Batch: 7, Worker: "w", Elapsed: time.Second, Indexes: []int{0, MaxTasks - 1}, Values: []Value{{Failed, []byte("no")}, {Inline, []byte("yes")}},
			Stdout: []byte("out"), Stderr: []byte("err"), Broken: []byte("broken")},
		func(v any) []byte { return v.(*Result).Encode() }, func(b []byte) (any, error) { return DecodeResult(b) },
	},
	{
		&Cancel{Pool: "p", Batch: 7, Indexes: []int{3, 1}},
		func(v any) []byte { return v.(*Cancel).Encode() }, func(b []byte) (any, error) { return DecodeCancel(b) },
	},
	{
		&Worker{ID: "w", Host: "h", Program: "a.out", PID: 17, Build: [32]byte{1, 2}, Slots: 4, Running: 3, Done: 2, Failed: 1, Restarts: 1, Interval: time.Second, Leaving: true, Offers: true},
		func(v any) []byte { return v.(*Worker).Encode() }, func(b []byte) (any, error) { return DecodeWorker(b) },
	},
	{
		&Pool{ID: "p", Closed: true},
		func(v any) []byte { return v.(*Pool).Encode() }, func(b []byte) (any, error) { return DecodePool(b) },
	},
	{
		&DeadLetter{Pool: "p", Batch: 9, Index: 5, FuncName: "main.f", Error: "lost", Tries: 3, Worker: "w", Arg: Value{Object, []byte("p.abc")}},
		func(v any) []byte { return v.(*DeadLetter).Encode() }, func(b []byte) (any, error) { return DecodeDeadLetter(b) },
	},
	{
		&Settings{Timeout: time.Second, Grace: time.Minute, TasksPerChild: 7, Env: []string{"A=1", "B="},
			First: &Call{FuncID: "\x00id", FuncName: "main.f", Function: "f", Hash: [32]byte{7, 31: 9}, Arg: "int", Result: "struct {}", Bytes: []byte("arg")}},
		func(v any) []byte { return v.(*Settings).Encode() }, func(b []byte) (any, error) { return DecodeSettings(b) },
	},
}

func TestMessages(t *testing.T) {
	for _, m := range messages {
		msg := m.encode(m.value)
		got, err := m.decode(msg)
		if err != nil || !reflect.DeepEqual(got, m.value) {
			t.Errorf("%+v arrives as %+v, %v", m.value, got, err)
		}
		for _, other := range messages {
			if other.value == m.value {
				continue
			}
			if _, err := other.decode(msg); !errors.Is(err, ErrMalformed) {
				t.Errorf("a %T was decoded as a %T: %v", m.value, other.value, err)
			}
		}
	}
}

// TestChangedMessages changes each bit, and cuts the message at each byte.
func TestChangedMessages(t *testing.T) {
	for _, m := range messages {
		msg := m.encode(m.value)
		for i := range msg {
			for bit := range 8 {
				changed := append([]byte(nil), msg...)
				changed[i] ^= 1 << bit
				if _, err := m.decode(changed); !errors.Is(err, ErrMalformed) {
					t.Errorf("%T with bit %d of byte %d changed: %v", m.value, bit, i, err)
				}
			}
			if _, err := m.decode(msg[:i]); !errors.Is(err, ErrMalformed) {
				t.Errorf("%T cut at %d: %v", m.value, i, err)
			}
		}
		if _, err := m.decode(append(msg, 0)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%T with one more byte: %v", m.value, err)
		}
	}
}

func TestOtherVersion(t *testing.T) {
	msg := (&Pool{ID: "p"}).Encode()
	msg[2]++
	if _, err := DecodePool(msg); err == nil || !strings.Contains(err.Error(), "version 4 of the protocol, and this program has version 3") {
		t.Errorf("got %v", err)
	}
}

// FuzzBodies decodes bodies with a correct hash, which a hostile sender can make: there is
// an error or a value that is encoded as the same bytes, and no large allocation.
func FuzzBodies(f *testing.F) {
	for i, m := range messages {
		f.Add(byte(i), m.encode(m.value)[4+sumSize:])
	}
	f.Add(byte(0), []byte("\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		m := messages[int(kind)%len(messages)]
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := m.decode(seal(kindBatch+kind%byte(len(messages)), body))
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(1<<20+100*len(body)) {
			t.Errorf("%d bytes are allocated for a message of %d", n, len(body))
		}
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("got %v", err)
			}
			return
		}
		again, err := m.decode(m.encode(v))
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("%+v is decoded again as %+v, %v", v, again, err)
		}
	})
}

// TestLongTexts sends texts that are longer than a reader takes.
func TestLongTexts(t *testing.T) {
	long := strings.Repeat("é", MaxString)
	for _, prefix := range []string{"", "x"} { // the cut must not divide a character
		d, err := DecodeDeadLetter((&DeadLetter{Pool: "p", FuncName: prefix + long, Error: prefix + long, Worker: "w"}).Encode())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{d.FuncName, d.Error} {
			if len(s) > MaxString || len(s) < MaxString-len(cutMark)-3 || !strings.HasSuffix(s, "é"+cutMark) || !strings.HasPrefix(s, prefix+"é") {
				t.Errorf("a text of %d bytes arrives as %d bytes that end with %q", len(prefix+long), len(s), s[len(s)-20:])
			}
		}
	}
	exact := strings.Repeat("x", MaxString)
	if d, err := DecodeDeadLetter((&DeadLetter{Error: exact}).Encode()); err != nil || d.Error != exact {
		t.Errorf("a text of the largest length is changed: %v", err)
	}
	if w, err := DecodeWorker((&Worker{Host: long, Program: long}).Encode()); err != nil || !strings.HasSuffix(w.Host, cutMark) {
		t.Errorf("a worker with a long host name: %v", err)
	}
}
