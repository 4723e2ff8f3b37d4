package mp

import "errors"

// Isolate runs f in its own goroutine, and waits for it: f calls users' code,
// which may panic or call runtime.Goexit.
func Isolate(f func() error) (err error) {
	done := make(chan struct{})
	err = ErrGoexit
	go func() {
		defer close(done)
		err = Catch(f)
	}()
	<-done
	return err
}

// Catch is f with panics turned into errors. After a Goexit it does not
// return.
func Catch(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = NewPanicError(v)
		}
	}()
	return f()
}

// Is is errors.Is also where a method of err panics.
func Is(err, target error) (is bool) {
	defer func() {
		if recover() != nil {
			is = false
		}
	}()
	return errors.Is(err, target)
}
