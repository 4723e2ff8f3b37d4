package cluster

import "context"

// A Value is a variable on the server, which all processes of a cluster share. It may be
// part of the argument of a task. Each method asks the server, which takes a tenth of a
// millisecond or more. While no server answers, for example while the servers of a NATS
// cluster elect a new leader, methods try again until the context ends, for a minute at most.
// If the answer to a change is lost, the change is not made twice.
type Value[T any] struct{ entry }

// NewValue makes a Value that holds v.
func NewValue[T any](ctx context.Context, c *Cluster, v T) (*Value[T], error) {
	b, err := pack(&v)
	if err != nil {
		return nil, err
	}
	e, err := newEntry(ctx, c, "Value", b)
	if err != nil {
		return nil, err
	}
	return &Value[T]{e}, nil
}

// Load returns the value.
func (v *Value[T]) Load(ctx context.Context) (x T, err error) {
	e, err := v.get(ctx)
	if err == nil {
		err = unpack(e.Value, &x)
	}
	return x, err
}

// Store sets the value.
func (v *Value[T]) Store(ctx context.Context, x T) error {
	_, err := v.Update(ctx, func(T) T { return x })
	return err
}

// Update sets the value to f(value), and returns the new value. f is called again if
// another process changes the value meanwhile.
func (v *Value[T]) Update(ctx context.Context, f func(T) T) (x T, err error) {
	err = v.change(ctx, func(old []byte) ([]byte, error) {
		var was T
		if err := unpack(old, &was); err != nil {
			return nil, err
		}
		x = f(was)
		return pack(&x)
	})
	return x, err
}

// Close deletes the Value. After that the other methods return mp.ErrClosed in all processes.
func (v *Value[T]) Close(ctx context.Context) error { return v.remove(ctx) }
