// Package wire encodes and decodes the messages of package cluster. Decoding checks the
// kind, the version, a hash, and every length before it uses them, and allocates memory in
// proportion to the size of the message.
package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Version is the version of the messages; messages of another version are refused.
const Version = 3

// The kinds of messages.
const (
	kindBatch byte = 1 + iota
	kindResult
	kindCancel
	kindWorker
	kindPool
	kindDeadLetter
	kindSettings
)

// MaxTasks is the largest number of tasks in a Batch.
const MaxTasks = 1024

// A Value is an encoded argument, result or error, or the name of an object that holds it.
type Value struct {
	Form  Form
	Bytes []byte
}

// A Form tells what the bytes of a Value encode.
type Form byte

const (
	Inline       Form = iota // an encoded value
	Object                   // the name of an object with an encoded value
	Failed                   // an encoded error
	FailedObject             // the name of an object with an encoded error
	forms
)

// A Batch has tasks of one function.
type Batch struct {
	Pool             string // id of the pool that waits for the results
	ID               uint64
	Tries            int // how often a task may begin
	MaxValue         int // the largest size of a result in bytes
	FuncID, FuncName string
	Function         string            // for a worker of another build: the name under which it has the function
	Hash             [sha256.Size]byte // hash of that function's source; zero for a worker of the same build
	Arg, Result      string            // names of the types of the argument and the result
	Settings         Value             // encoded Settings of the pool; empty for the defaults
	Args             []Value
	Numbers          []uint64 // numbers of the tasks within their pool, one for each of Args
}

// A Result has the outcomes of some tasks of a Batch, or output of tasks of a pool.
type Result struct {
	Pool    string
	Batch   uint64
	Worker  string        // id of the worker that ran the tasks
	Elapsed time.Duration // mean time per task, in the last Result of a batch; else 0
	Indexes []int         // indexes of the tasks in Args of the Batch, one for each of Values
	Values  []Value
	Stdout  []byte
	Stderr  []byte
	Broken  []byte // if the pool's initializer has failed: the encoded error of all tasks of the pool
}

// A Cancel tells workers that tasks of a Batch are no longer awaited.
type Cancel struct {
	Pool    string
	Batch   uint64
	Indexes []int
}

// A Worker describes a process that takes tasks.
type Worker struct {
	ID       string
	Host     string
	Program  string
	PID      int
	Build    [sha256.Size]byte
	Offers   bool // whether it also runs tasks of other builds; then the server has the hashes of its functions
	Slots    int  // how many tasks of each pool it runs at once
	Running  int
	Done     int // number of tasks that have ended, including Failed
	Failed   int
	Restarts int
	Interval time.Duration // time until it announces itself again
	Leaving  bool
}

// A Pool tells workers that a pool exists, or that it was closed.
type Pool struct {
	ID     string
	Closed bool
}

// A DeadLetter is a task that was given up.
type DeadLetter struct {
	Pool     string
	Batch    uint64
	Index    int
	FuncName string
	Error    string
	Tries    int
	Worker   string
	Arg      Value
}

const sumSize = 16

// seal returns a message: the letters PJ, the version, the kind, a hash of version, kind
// and body, and the body.
func seal(kind byte, body []byte) []byte {
	sum := hash(kind, body)
	out := make([]byte, 0, 4+sumSize+len(body))
	out = append(out, 'P', 'J', Version, kind)
	out = append(out, sum[:]...)
	return append(out, body...)
}

func hash(kind byte, body []byte) (sum [sumSize]byte) {
	h := sha256.New()
	h.Write([]byte{Version, kind})
	h.Write(body)
	copy(sum[:], h.Sum(nil))
	return sum
}

// ErrMalformed is wrapped by the error for a message that cannot be decoded.
var ErrMalformed = errors.New("malformed message of package cluster")

func open(kind byte, b []byte) (*reader, error) {
	switch {
	case len(b) < 4+sumSize || b[0] != 'P' || b[1] != 'J':
		return nil, fmt.Errorf("%w: the message does not have the header of the protocol, so another program may have sent it", ErrMalformed)
	case b[2] != Version:
		return nil, fmt.Errorf("%w: the message has version %d of the protocol, and this program has version %d; build all programs of the cluster with the same release of Perijove", ErrMalformed, b[2], Version)
	case b[3] != kind:
		return nil, fmt.Errorf("%w: the message has kind %d, and kind %d is expected here", ErrMalformed, b[3], kind)
	}
	body := b[4+sumSize:]
	if sum := hash(kind, body); !bytes.Equal(sum[:], b[4:4+sumSize]) {
		return nil, fmt.Errorf("%w: the content of the message does not have the hash that the header gives", ErrMalformed)
	}
	return &reader{b: body}, nil
}

// A writer appends fields.
type writer struct{ b []byte }

func (w *writer) uint(n uint64)   { w.b = binary.AppendUvarint(w.b, n) }
func (w *writer) int(n int)       { w.uint(uint64(n)) }
func (w *writer) bytes(s []byte)  { w.int(len(s)); w.b = append(w.b, s...) }
func (w *writer) string(s string) { w.int(len(s)); w.b = append(w.b, s...) }

// MaxString is the largest length of a string in bytes. A reader refuses a longer one.
const MaxString = 1 << 16

// cutMark is the end of a text that was cut.
const cutMark = " … (truncated)"

// text appends a text for users. It cuts the end off if the string is too long.
func (w *writer) text(s string) {
	if len(s) > MaxString {
		end := MaxString - len(cutMark)
		for !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + cutMark
	}
	w.string(s)
}

func (w *writer) bool(v bool) {
	b := byte(0)
	if v {
		b = 1
	}
	w.b = append(w.b, b)
}

func (w *writer) strings(ss ...string) {
	for _, s := range ss {
		w.string(s)
	}
}

func (w *writer) value(v Value) {
	w.b = append(w.b, byte(v.Form))
	w.bytes(v.Bytes)
}

func (w *writer) ints(ns []int) {
	w.int(len(ns))
	for _, n := range ns {
		w.int(n)
	}
}

// A reader reads fields. After the first error it returns zero values.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) fail() { r.failed, r.b = true, nil }

func (r *reader) uint() uint64 {
	n, k := binary.Uvarint(r.b)
	if k <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[k:]
	return n
}

// int reads a number from 0 to max.
func (r *reader) int(max int) int {
	n := r.uint()
	if n > uint64(max) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) { // after the length has been read
		r.fail()
		return nil
	}
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

func (r *reader) string() string {
	s := r.bytes()
	if len(s) > MaxString {
		r.fail()
		return ""
	}
	return string(s)
}

func (r *reader) byte(below byte) byte {
	if len(r.b) == 0 || r.b[0] >= below {
		r.fail()
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *reader) bool() bool { return r.byte(2) == 1 }

func (r *reader) value() Value {
	form := Form(r.byte(byte(forms)))
	return Value{form, r.bytes()}
}

// argument reads a Value that is not a failure.
func (r *reader) argument() Value {
	v := r.value()
	if v.Form > Object {
		r.fail()
	}
	return v
}

func (r *reader) hash() (h [sha256.Size]byte) {
	b := r.bytes()
	if len(b) != len(h) {
		r.fail()
		return h
	}
	return [len(h)]byte(b)
}

// fits returns how many items of at least size bytes the rest can hold.
func (r *reader) fits(size int) int { return len(r.b) / size }

func (r *reader) ints(max int) []int {
	n := r.int(MaxTasks)
	if n > r.fits(1) {
		r.fail()
		return nil
	}
	ns := make([]int, 0, n)
	for range n {
		ns = append(ns, r.int(max))
	}
	return ns
}

// end returns an error if a field was invalid, or if bytes are left.
func (r *reader) end(what string) error {
	if r.failed || len(r.b) > 0 {
		return fmt.Errorf("%w: the fields of %s are damaged", ErrMalformed, what)
	}
	return nil
}
