package must

import (
	"errors"
	"testing"
)

var errTest = errors.New("test")

func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

func TestNoError(t *testing.T) {
	v := panicOf(func() {
		Do()
		Do(nil, nil)
		if got := Get(1, nil); got != 1 {
			t.Errorf("Get returns %d", got)
		}
		if a, b := Get2(1, "b", nil); a != 1 || b != "b" {
			t.Errorf("Get2 returns %d, %q", a, b)
		}
	})
	if v != nil {
		t.Errorf("panic: %v", v)
	}
}

func TestErrors(t *testing.T) {
	for name, f := range map[string]func(){
		"Do":   func() { Do(nil, errTest, errors.New("another")) },
		"Get":  func() { Get(1, errTest) },
		"Get2": func() { Get2(1, 2, errTest) },
	} {
		if v := panicOf(f); v != errTest {
			t.Errorf("%s: panic %v, want the error itself", name, v)
		}
	}
}
