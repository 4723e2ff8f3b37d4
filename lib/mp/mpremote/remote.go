package mpremote

import (
	"context"
	"encoding/gob"
	"fmt"
	"path"
	"reflect"
	"unsafe"

	"github.com/perijove/perijove/lib/mp/internal/call"
	"github.com/perijove/perijove/lib/mp/internal/codec"
	failure "github.com/perijove/perijove/lib/mp/internal/failure"
	"github.com/perijove/perijove/lib/mp/internal/pool"
	"github.com/perijove/perijove/lib/mp/internal/process"
	"github.com/perijove/perijove/lib/mp/internal/program"
	"github.com/perijove/perijove/lib/mp/mphost"
)

// Remote returns a pool.Remote that sends tasks to r. It fails with mp.ErrNoEntry in a
// program that did not call mp.Init.
func Remote(r Runner) (pool.Remote, error) {
	h, err := mphost.Current()
	if err != nil {
		return nil, err
	}
	return &remote{Runner: r, host: h}, nil
}

// A remote implements pool.Remote.
type remote struct {
	Runner
	host mphost.Host
}

// Prepare implements pool.Remote.
func (m *remote) Prepare(c *call.Function) error {
	f, err := describe(m.host, c)
	if err != nil {
		return err
	}
	in, out, err := call.Codecs(c)
	if err != nil {
		return err
	}
	c.Do = func(ctx context.Context, a, r unsafe.Pointer) error {
		arg, err := in.Marshal(a)
		if err != nil {
			return failure.Wrap("argument of "+f.Name, err)
		}
		o, err := m.Run(ctx, f, arg)
		switch {
		case err != nil:
			return err
		case o.Failed:
			return o.Err()
		}
		return receive(out, o, r)
	}
	return nil
}

// describe returns the Func of c, or an error if c cannot be sent.
func describe(h mphost.Host, c *call.Function) (*Func, error) {
	_, _, err := call.Codecs(c)
	if err == nil {
		err = refuseShared(c)
	}
	if err != nil {
		return nil, failure.Wrap(program.Describe(c.Fn.PC), err)
	}
	def, err := process.Define(h, c)
	if err != nil {
		return nil, err
	}
	f := &Func{
		ID:   def.ID(),
		Name: program.Describe(c.Fn.PC),
		Arg:  typeText(c.Arg), Result: typeText(c.Result),
	}
	f.Source, f.Bound = sourceOf(c)
	return f, nil
}

// receive decodes a result. It returns an error if a method of a user's type panics.
func receive(out *codec.Codec, o Outcome, r unsafe.Pointer) error {
	return failure.Catch(func() error { return out.UnmarshalFor(o.Bytes, r, o.Portable) })
}

func typeText(e call.Elem) string { return reflect.TypeOf(e.Pointer).Elem().String() }

// refuseShared returns an error if the argument or the result contains a shared object:
// its memory exists on one machine.
func refuseShared(c *call.Function) error {
	for _, e := range []call.Elem{c.Arg, c.Result} {
		t := reflect.TypeOf(e.Pointer).Elem()
		if part := sharedPart(t, map[reflect.Type]bool{}); part != nil {
			return fmt.Errorf("cannot send %s to another machine, since %v is shared by the processes of one machine",
				failure.WithArticle(t.String()), part)
		}
	}
	return nil
}

// sharedPackage is the path of package mp. Its types that implement gob.GobEncoder are shared
// objects.
var sharedPackage = path.Dir(reflect.TypeFor[mphost.Peer]().PkgPath())

var gobEncoder = reflect.TypeFor[gob.GobEncoder]()

// sharedPart returns the type of a shared object that t contains, or nil.
func sharedPart(t reflect.Type, seen map[reflect.Type]bool) reflect.Type {
	if seen[t] {
		return nil
	}
	seen[t] = true
	if t.PkgPath() == sharedPackage && reflect.PointerTo(t).Implements(gobEncoder) {
		return t
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return sharedPart(t.Elem(), seen)
	case reflect.Map:
		if part := sharedPart(t.Key(), seen); part != nil {
			return part
		}
		return sharedPart(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if part := sharedPart(t.Field(i).Type, seen); part != nil {
				return part
			}
		}
	}
	return nil
}
