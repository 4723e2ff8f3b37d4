package mp

import "errors"

// Isolate runs f, which calls users' code, in a new goroutine, and waits for f. It turns a
// panic in f, or a call of runtime.Goexit, into an error.
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

// Catch returns the error of f, and turns a panic in f into an error. If f calls
// runtime.Goexit, Catch does not return.
func Catch(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = NewPanicError(v)
		}
	}()
	return f()
}

// Is is errors.Is, but returns false if a method of err panics.
func Is(err, target error) (is bool) {
	defer func() {
		if recover() != nil {
			is = false
		}
	}()
	return errors.Is(err, target)
}
