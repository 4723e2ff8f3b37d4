// Package mp has the signatures that the check looks at.
package mp

import "context"

type Backend int

const (
	Goroutines Backend = iota
	Processes
)

type Pool struct{}

func NewPool(Backend) (*Pool, error) { return nil, nil }

func Start[A any](context.Context, Backend, func(A), A) error { return nil }

func Go[R, A any](context.Context, Backend, func(A) R, A) error { return nil }

func Map[R, A any](context.Context, *Pool, func(A) R, []A) ([]R, error) { return nil, nil }

func Init() {}

type Option func()

func Initializer[A any](func(A), A) Option { return nil }
