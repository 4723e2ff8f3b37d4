package speedup

import (
	"fmt"
	"strconv"
	"time"
)

// Time runs f the given number of times, after one run that does not count, and
// returns the median of the times in seconds, with its interval. It fails with the
// first error of f. Time with some dozens of runs suits a function that takes
// microseconds, for which Measure is not precise enough.
func Time(runs int, f func() error) (Estimate, error) {
	if runs < 1 {
		return Estimate{}, fmt.Errorf("speedup: cannot measure the time of %d runs: the number must be at least 1", runs)
	}
	var seconds []float64
	for i := range runs + 1 {
		began := time.Now()
		if err := f(); err != nil {
			return Estimate{}, err
		}
		if i > 0 {
			seconds = append(seconds, time.Since(began).Seconds())
		}
	}
	return estimate(seconds), nil
}

// Format formats a time in seconds with the given number of significant digits and a
// suitable unit: Format(0.0000205626, 2) is "21 µs". A number of digits below 1 counts as 1,
// and above 15 as 15.
func Format(seconds float64, digits int) string {
	units := []struct {
		name string
		size float64
	}{{"ns", 1e-9}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}}
	for i, u := range units {
		text := significant(seconds/u.size, digits)
		if v, err := strconv.ParseFloat(text, 64); err == nil && v < 1000 && v > -1000 || i == len(units)-1 {
			return text + " " + u.name
		}
	}
	return ""
}

// significant formats x with the given number of significant digits, without an
// exponent.
func significant(x float64, digits int) string {
	digits = min(max(digits, 1), 15)
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'e', digits-1, 64), 64)
	if err != nil {
		return fmt.Sprint(x)
	}
	decimals := digits - 1
	for v := max(rounded, -rounded); v >= 10 && decimals > 0; v /= 10 {
		decimals--
	}
	for v := max(rounded, -rounded); v > 0 && v < 1; v *= 10 {
		decimals++
	}
	return strconv.FormatFloat(rounded, 'f', decimals, 64)
}
