package mp

import "errors"

// isolate runs f in its own goroutine, and waits for it: f calls users' code,
// which may panic or call runtime.Goexit.
func isolate(f func() error) (err error) {
	done := make(chan struct{})
	err = ErrGoexit
	go func() {
		defer close(done)
		err = recovered(f)
	}()
	<-done
	return err
}

// recovered is f with panics turned into errors. After a Goexit it does not
// return.
func recovered(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return f()
}

// isError is errors.Is also where a method of err panics.
func isError(err, target error) (is bool) {
	defer func() {
		if recover() != nil {
			is = false
		}
	}()
	return errors.Is(err, target)
}
