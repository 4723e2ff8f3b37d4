package cluster

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/perijove/perijove/lib/cluster/internal/childenv"
	"github.com/perijove/perijove/lib/cluster/internal/keyvalue"
	"github.com/perijove/perijove/lib/mp"
	"github.com/perijove/perijove/lib/mp/mphost"
	"github.com/perijove/perijove/lib/mp/mpremote"
)

// opened has the clusters that this process has opened, by id. Shared objects that arrive
// in arguments and results find their cluster there.
var opened struct {
	mu     sync.Mutex
	byID   map[string]*Cluster
	closed map[string]bool          // ids of those that were closed
	child  func() (*Cluster, error) // the cluster that this child process works for
}

func init() {
	opened.byID = make(map[string]*Cluster)
	opened.closed = make(map[string]bool)
	opened.child = sync.OnceValues(joinAsChild)
}

// joinAsChild joins the cluster that this process, a child, works for.
func joinAsChild() (*Cluster, error) {
	own, err := childenv.Own()
	if err != nil {
		return nil, err
	}
	if own == nil {
		return nil, errors.New("cluster: cannot use an object of a cluster that this process has not opened: call cluster.Open first")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	opts := []Option{Name(own.Name), URL(own.URL)}
	if own.Token != "" {
		opts = append(opts, Token(own.Token))
	}
	c, err := Open(ctx, opts...)
	if err != nil {
		return nil, fmt.Errorf("%w (a child process of a worker connects to the server with the URL and the token only, without options of cluster.Connection)", err)
	}
	return c, nil
}

// register reads the id of the cluster from the server, or makes it if the server has none,
// and records the open cluster under it.
func (c *Cluster) register(ctx context.Context) error {
	const key = "cluster-id"
	_, err := c.values.Create(ctx, key, []byte(newID()))
	if err != nil && !errors.Is(err, jetstream.ErrKeyExists) {
		return c.streamError(c.o.name+"-values", err)
	}
	e, err := c.values.Get(ctx, key)
	if err != nil {
		return c.streamError(c.o.name+"-values", err)
	}
	c.id = string(e.Value)
	opened.mu.Lock()
	defer opened.mu.Unlock()
	opened.byID[c.id] = c
	delete(opened.closed, c.id)
	return nil
}

func (c *Cluster) unregister() {
	opened.mu.Lock()
	defer opened.mu.Unlock()
	if opened.byID[c.id] == c {
		delete(opened.byID, c.id)
		opened.closed[c.id] = true
	}
}

// clusterOf returns the cluster with an id.
func clusterOf(id string) (*Cluster, error) {
	opened.mu.Lock()
	c, isClosed := opened.byID[id], opened.closed[id]
	opened.mu.Unlock()
	switch {
	case c != nil:
		return c, nil
	case isClosed:
		return nil, mp.ErrClosed
	}
	c, err := opened.child()
	if err == nil && c.id != id {
		err = errors.New("cluster: cannot use an object of another cluster than that of this worker; pass an object of this worker's cluster")
	}
	return c, err
}

// An entry is a key with a value on the server, on which shared objects are built. Its
// methods get, change and watch return mp.ErrClosed if the key was deleted.
type entry struct {
	cluster string // id
	key     string
}

// newEntry makes an entry with a first value.
func newEntry(ctx context.Context, c *Cluster, kind string, first []byte) (entry, error) {
	if c == nil {
		return entry{}, fmt.Errorf("cluster: cannot make the %s: the Cluster is nil; make a Cluster with cluster.Open", kind)
	}
	e := entry{c.id, kind + "." + rand.Text()}
	if _, err := c.values.Create(ctx, e.key, first); err != nil {
		return e, e.wrap(err)
	}
	return e, nil
}

func (e *entry) store() (*keyvalue.Store, error) {
	if e.key == "" {
		return nil, errors.New("cluster: a shared object is a zero value: make it with NewQueue, NewValue, NewMutex, NewEvent or NewBarrier")
	}
	c, err := clusterOf(e.cluster)
	if err != nil {
		return nil, err
	}
	return c.values, nil
}

func (e *entry) wrap(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrKeyNotFound), errors.Is(err, nats.ErrConnectionClosed):
		return mp.ErrClosed
	}
	return fmt.Errorf("cluster: cannot use the shared %s: %w", strings.SplitN(e.key, ".", 2)[0], err)
}

// get returns the Entry of the key.
func (e *entry) get(ctx context.Context) (now keyvalue.Entry, err error) {
	kv, err := e.store()
	if err != nil {
		return now, err
	}
	now, err = kv.GetExisting(ctx, e.key)
	return now, e.wrap(err)
}

// swap replaces the value if the key still has the revision of old, and returns the new
// Entry of the key. It returns false if the key has another revision.
func (e *entry) swap(ctx context.Context, old keyvalue.Entry, value []byte) (now keyvalue.Entry, ok bool, err error) {
	kv, err := e.store()
	if err != nil {
		return now, false, err
	}
	now, ok, err = kv.Swap(ctx, e.key, old, value)
	return now, ok, e.wrap(err)
}

// change replaces the value by f(value). If another process changes the value meanwhile, it
// tries again. If f returns nil, the value stays.
func (e *entry) change(ctx context.Context, f func(old []byte) ([]byte, error)) error {
	for {
		old, err := e.get(ctx)
		if err != nil {
			return err
		}
		value, err := f(old.Value)
		if value == nil || err != nil {
			return err
		}
		if _, ok, err := e.swap(ctx, old, value); ok || err != nil {
			return err
		}
	}
}

// watch calls f with the Entry of the key after each change until f returns true, ctx ends
// or the key is deleted. If the key has not changed for the time idle, f is called again
// with stale true.
func (e *entry) watch(ctx context.Context, idle time.Duration, f func(now keyvalue.Entry, stale bool) (done bool, err error)) error {
	ctx, release := mphost.WithCancel(ctx)
	defer release()
	kv, err := e.store()
	if err != nil {
		return err
	}
	var fErr error
	err = kv.Watch(ctx, e.key, idle, func(now keyvalue.Entry, stale bool) (done bool, err error) {
		done, fErr = f(now, stale)
		return done || fErr != nil, nil
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return cmp.Or(fErr, e.wrap(err))
}

// remove deletes the key.
func (e *entry) remove(ctx context.Context) error {
	kv, err := e.store()
	if err == nil {
		err = e.wrap(kv.Delete(ctx, e.key))
	}
	return err
}

// GobEncode lets the object be part of a value that is sent. It encodes a reference to the object.
func (e *entry) GobEncode() ([]byte, error) {
	if e.key == "" {
		return nil, errors.New("cluster: a shared object is a zero value: make it with NewQueue, NewValue, NewMutex, NewEvent or NewBarrier")
	}
	return []byte(e.cluster + "\n" + e.key), nil
}

// GobDecode is the inverse of GobEncode.
func (e *entry) GobDecode(b []byte) error {
	id, key, ok := strings.Cut(string(b), "\n")
	if !ok || id == "" || key == "" {
		return errors.New("cluster: cannot decode a reference to a shared object: the bytes are not from GobEncode of such an object")
	}
	e.cluster, e.key = id, key
	return nil
}

// pack encodes the variable that pointer points to, with its type and the build, which
// unpack checks before it decodes.
func pack(pointer any) ([]byte, error) {
	head, err := packHead(pointer)
	if err != nil {
		return nil, err
	}
	b, err := mpremote.Marshal(pointer)
	return append(head, b...), err
}

func packHead(pointer any) ([]byte, error) {
	build, err := childenv.Build()
	return append(build[:16:16], reflect.TypeOf(pointer).Elem().String()+"\x00"...), err
}

func unpack(b []byte, pointer any) error {
	head, err := packHead(pointer)
	if err != nil {
		return err
	}
	if rest, ok := bytes.CutPrefix(b, head); ok {
		return mpremote.Unmarshal(rest, pointer)
	}
	return fmt.Errorf("cluster: cannot read a stored value as a %v: the value has another type, or another build of the program stored it", reflect.TypeOf(pointer).Elem())
}
