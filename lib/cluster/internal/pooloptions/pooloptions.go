// Package pooloptions sends the options of a pool to the processes that run its tasks.
package pooloptions

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/cluster/internal/objects"
	"github.com/perijove/perijove/lib/cluster/internal/wire"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// A Store stores objects on the server.
type Store interface {
	Put(ctx context.Context, name string, b []byte) error
	Get(ctx context.Context, name string, limit int) ([]byte, error)
	Delete(name string)
}

const (
	// maxInline is the largest size of Settings in a message. Larger ones are an object, which
	// is stored again after renewInterval, before the server removes it.
	maxInline     = 16 << 10
	renewInterval = 20 * time.Minute
)

// A Sender encodes the options of one pool. Its methods may be called concurrently.
type Sender struct {
	Options *mpremote.PoolOptions
	Pool    string // id of the pool
	Store   Store

	mu     sync.Mutex
	stored map[string]time.Time // when each object was stored, by name
}

// IsDefault reports whether all options for the processes that run the tasks have their defaults.
func (s *Sender) IsDefault() bool {
	o := s.Options
	return o.TasksPerChild == 0 && o.TaskTimeout == 0 && o.Grace == mpremote.DefaultGrace && len(o.Env) == 0 && o.Initializer == nil
}

// Check returns an error if the encoded options take more than limit bytes.
func (s *Sender) Check(limit int) error {
	if n := len(s.encode(false)); n > limit {
		return fmt.Errorf("cluster: the options of the pool take %d bytes, more than the limit of %d: give the Initializer a smaller argument, or raise the limit with cluster.MaxValue", n, limit)
	}
	for _, v := range s.Options.Env {
		if len(v) > wire.MaxString {
			return fmt.Errorf("cluster: the variable that begins with %.20q, in the option Env of the pool, has %d bytes, more than the limit of %d", v, len(v), wire.MaxString)
		}
	}
	return nil
}

// Value returns the Settings for a Batch. If they are large, Value stores them as an object and
// returns the object's name. If portable is true, the Batch is for another build.
func (s *Sender) Value(ctx context.Context, portable bool) (wire.Value, error) {
	if s.IsDefault() {
		return wire.Value{}, nil
	}
	b := s.encode(portable)
	if len(b) <= maxInline {
		return wire.Value{Form: wire.Inline, Bytes: b}, nil
	}
	name := objects.ArgumentName(s.Pool, b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.stored[name]) > renewInterval {
		if err := s.Store.Put(ctx, name, b); err != nil {
			return wire.Value{}, err
		}
		if s.stored == nil {
			s.stored = make(map[string]time.Time)
		}
		s.stored[name] = time.Now()
	}
	return wire.Value{Form: wire.Object, Bytes: []byte(name)}, nil
}

func (s *Sender) encode(portable bool) []byte {
	o := s.Options
	w := wire.Settings{Timeout: o.TaskTimeout, Grace: o.Grace, TasksPerChild: o.TasksPerChild, Env: o.Env}
	if in := o.Initializer; in != nil {
		w.First = &wire.Call{FuncID: in.Func.ID, FuncName: in.Func.Name, Arg: in.Func.Arg, Result: in.Func.Result, Bytes: in.Arg}
		if portable {
			w.First.FuncID, w.First.Function, w.First.Hash = "", in.Func.Source.Name, in.Func.Source.Hash
		}
	}
	return w.Encode()
}

// Close deletes the objects that Value has stored.
func (s *Sender) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.stored {
		s.Store.Delete(name)
	}
	s.stored = nil
}

// Read returns the options in v, the Settings of a Batch. If v names an object, Read gets the
// object from the store, and fails if it has more than limit bytes.
func Read(ctx context.Context, store Store, v wire.Value, limit int) (o mpremote.ExecutorOptions, err error) {
	o.Grace = mpremote.DefaultGrace
	b := v.Bytes
	if len(b) == 0 {
		return o, nil
	}
	if v.Form == wire.Object {
		if b, err = store.Get(ctx, string(b), limit); err != nil {
			return o, fmt.Errorf("cluster: cannot fetch the options of the task's pool from the server: %w", err)
		}
	}
	s, err := wire.DecodeSettings(b)
	if err != nil {
		return o, fmt.Errorf("cluster: cannot read the options of the task's pool: %w", err)
	}
	o.TaskTimeout, o.Grace, o.TasksPerChild, o.Env = s.Timeout, s.Grace, s.TasksPerChild, s.Env
	if c := s.First; c != nil {
		o.Initializer = &mpremote.Initializer{Arg: c.Bytes, Func: &mpremote.Func{
			ID: c.FuncID, Name: c.FuncName, Arg: c.Arg, Result: c.Result, Registered: c.Function, Hash: c.Hash}}
		err = o.Initializer.Check()
	}
	return o, err
}
