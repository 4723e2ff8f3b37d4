// Package remote calls functions on objects that another process serves: mp.Ref and mp.Serve.
package remote

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/goroutine"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/shm"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// A Reference is the part of an mp.Ref that does not depend on the object's type.
type Reference interface {
	Close() error
	Encode() ([]byte, error)
	Ask(ctx context.Context, m CalledMethod, arg, result unsafe.Pointer) error
}

// A ref implements Reference.
type ref struct {
	local  *served // nil in other processes than the one that serves
	asks   *asks
	over   *flag     // set when no more asks are answered
	server shm.Owner // the process that serves
	mu     sync.Mutex
	client *client
}

// An ask is a call of a function on a served object, from another process.
type ask struct {
	Runner, Fn string
	Arg        []byte
	Reply      *answers
	ID         uint64
}

type answer struct {
	ID     uint64
	Result []byte
	Err    []byte
}

// Serve makes the object at obj available to other processes, which call functions on it with
// the result. It fails in a program that did not call mp.Init.
//
//go:noinline
func Serve(obj unsafe.Pointer) (Reference, error) {
	if _, err := mphost.Current(); err != nil {
		return nil, err
	}
	asks, err := newMessages[ask]()
	if err != nil {
		return nil, err
	}
	over, err := newFlag()
	if err != nil {
		return nil, err
	}
	s := &served{turn: make(chan struct{}, 1), object: obj, asks: asks, over: over, ended: make(chan struct{})}
	go s.work()
	return &ref{local: s, asks: asks, over: over, server: shm.Self()}, nil
}

func (r *ref) Close() error {
	if r.local == nil {
		return errors.New("mp: cannot close a Ref in this process: only the process that serves the object may close it")
	}
	if r.local.holder.Load() == goroutine.Current() {
		return errors.New("mp: cannot close a Ref from a function that runs on the served object, since Close would wait for that function: call Close outside of such functions")
	}
	r.asks.Close()
	<-r.local.ended
	return nil
}

func (r *ref) Ask(ctx context.Context, m CalledMethod, arg, result unsafe.Pointer) error {
	ctx, done := mphost.WithCancel(ctx)
	defer done()
	if r.local != nil {
		return r.local.here(ctx, &m, arg, result)
	}
	h, err := mphost.Current()
	if err != nil {
		return err
	}
	def, err := process.DefineFor(h, m.Fn, methodRunnerPC(m.Runner), call.GivesResult, false)
	if err != nil {
		return err
	}
	body, err := m.Arg.Encode(arg)
	if err != nil {
		return err
	}
	c, err := r.connect()
	if err != nil {
		return err
	}
	a, err := c.call(ctx, r.asks, ask{Runner: def.RunnerID, Fn: def.FnID, Arg: body})
	if err != nil {
		return err
	}
	if a.Err != nil {
		return codec.DecodeError(a.Err)
	}
	return m.Result.Decode(a.Result, result)
}

// connect returns this process's client. The first call makes it, with its queue of answers.
func (r *ref) connect() (*client, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.client == nil {
		q, err := newMessages[answer]()
		if err != nil {
			return nil, err
		}
		r.client = &client{answers: q, server: r.server, over: r.over, waiting: make(map[uint64]chan answer)}
	}
	return r.client, nil
}

var ErrNotServed = errors.New("mp: the Ref, ServedMap or ServedList is a zero value: make it with mp.Serve, mp.ServeMap or mp.ServeList")

func (r *ref) Encode() ([]byte, error) {
	asks, err := r.asks.GobEncode()
	if err != nil {
		return nil, err
	}
	over, err := r.over.GobEncode()
	if err != nil {
		return nil, err
	}
	return binary.LittleEndian.AppendUint64(codec.AppendStrings(nil, string(asks), string(over)), r.server.Word()), nil
}

// OpenRef opens the Reference that an encoded handle names.
//
//go:noinline
func OpenRef(b []byte) (Reference, error) {
	if len(b) < 8 {
		return nil, failure.ErrMalformed
	}
	at := len(b) - 8
	parts, err := codec.SplitStrings(b[:at])
	if err != nil || len(parts) != 2 {
		return nil, failure.ErrMalformed
	}
	r := &ref{asks: new(asks), over: new(flag), server: shm.OwnerOf(binary.LittleEndian.Uint64(b[at:]))}
	if err := r.asks.GobDecode([]byte(parts[0])); err != nil {
		return nil, err
	}
	return r, r.over.GobDecode([]byte(parts[1]))
}
