// Program sentinels checks that errors in package variables, and values in
// interfaces, are the same in parent and child.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/perijove/perijove/lib/mp"
)

type coded struct{ code int }

func (c *coded) Error() string { return fmt.Sprint("code ", c.code) }

var (
	errOwn     = errors.New("own")
	errWrapped = fmt.Errorf("wrapped %w", errOwn)
	errCoded   = &coded{7}
	errLast    = errors.New("last")
)

func all() []error { return []error{io.EOF, bufio.ErrTooLong, errOwn, errWrapped, errCoded} }

func task(i int) (any, error) {
	errLast = errors.New("last")
	if i < 0 {
		return nil, errLast
	}
	return map[string]any{"held": coded{i}}, all()[i]
}

func same(errs []error) (bool, error) {
	for i, err := range all() {
		if errs[i] != err {
			return false, fmt.Errorf("%d: %w", i, errs[i])
		}
	}
	return true, nil
}

func main() {
	mp.Init()
	ctx := context.Background()
	for i, want := range all() {
		call, err := mp.Go[any](ctx, mp.Processes, task, i)
		check(err)
		if _, err := call.Result(ctx); err != want {
			check(fmt.Errorf("error %d arrived as %#v", i, err))
		}
	}
	call, err := mp.Go[any](ctx, mp.Processes, task, -1)
	check(err)
	if _, err := call.Result(ctx); err == nil || errors.Is(err, errLast) {
		check(fmt.Errorf("a reassigned variable arrived as %#v", err))
	}
	back, err := mp.Go[bool](ctx, mp.Processes, same, all())
	check(err)
	_, err = back.Result(ctx)
	check(err)
	fmt.Println("ok")
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
