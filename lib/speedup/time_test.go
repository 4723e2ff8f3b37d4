package speedup

import (
	"errors"
	"testing"
	"time"
)

func TestFormat(t *testing.T) {
	for _, tt := range []struct {
		seconds float64
		digits  int
		want    string
	}{
		{0.0000205626, 2, "21 µs"}, {2.7e-6, 2, "2.7 µs"}, {2.7e-6, 3, "2.70 µs"}, {0.0307959, 2, "31 ms"},
		{999.6e-6, 3, "1.00 ms"}, {0.9996e-6, 3, "1.00 µs"}, {123456, 2, "120000 s"}, {1.5, 2, "1.5 s"},
		{0, 2, "0.0 ns"}, {0.3e-9, 2, "0.30 ns"}, {-0.002, 1, "-2 ms"}, {12e-9, 0, "10 ns"},
	} {
		if got := Format(tt.seconds, tt.digits); got != tt.want {
			t.Errorf("Format(%v, %d) = %q, want %q", tt.seconds, tt.digits, got, tt.want)
		}
	}
}

func TestTime(t *testing.T) {
	runs := 0
	e, err := Time(7, func() error { runs++; time.Sleep(time.Millisecond); return nil })
	if err != nil || runs != 8 || e.Median < 1e-3 || e.Low > e.Median || e.High < e.Median {
		t.Errorf("8 runs of 1 ms: %d runs, %+v, %v", runs, e, err)
	}
	errStop := errors.New("stop")
	if _, err := Time(7, func() error { return errStop }); !errors.Is(err, errStop) {
		t.Errorf("the error is %v", err)
	}
	if _, err := Time(0, func() error { return nil }); err == nil {
		t.Error("0 runs were accepted")
	}
}
