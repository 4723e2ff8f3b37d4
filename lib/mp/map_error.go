package mp

// A MapError is the error of a Map or ForEach that ended before all its tasks
// had succeeded. A Stream goes on after a task's error instead.
type MapError struct {
	// Err is why it ended: the error of the failed task with the lowest place,
	// which it tells, or the cause of the end of the context.
	Err error
	// Failed has the errors of the tasks that failed, by place. Tasks that were
	// cancelled, or did not begin, because of these are not there; one that has
	// returned at the end of the context may be.
	Failed map[int]error

	at   int      // the lowest place, or -1
	done []places // tasks that succeeded
}

// Error returns the text of Err.
func (e *MapError) Error() string {
	if e.Err == nil {
		return "mp: a Map ended early"
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *MapError) Unwrap() error { return e.Err }

// Succeeded reports whether the task at place i has succeeded, so that element i
// of what Map returned is its result, and not a zero value in its place.
func (e *MapError) Succeeded(i int) bool {
	for _, s := range e.done {
		if s.from <= i && i < s.to {
			return true
		}
	}
	return false
}

// places are a range of tasks: those from the first place to before the second.
type places struct{ from, to int }

// addPlaces adds s, to the last span if that ends where s begins.
func addPlaces(all []places, s places) []places {
	if n := len(all); n > 0 && all[n-1].to == s.from {
		all[n-1].to = s.to
		return all
	}
	return append(all, s)
}
