package call

import "context"

type keyOfContext struct{}

// WithKey returns a context of a task that has the key.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOfContext{}, key)
}

// Key returns the key of the task whose context is ctx, or "".
func Key(ctx context.Context) string {
	key, _ := ctx.Value(keyOfContext{}).(string)
	return key
}
