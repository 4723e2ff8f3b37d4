// Package memory determines how much memory a worker process and the processes that it started may use, and how much
// memory they use.
package memory

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

var units = []struct {
	name  string
	bytes float64
}{
	{"", 1}, {"b", 1},
	{"k", 1e3}, {"kb", 1e3}, {"kib", 1 << 10},
	{"m", 1e6}, {"mb", 1e6}, {"mib", 1 << 20},
	{"g", 1e9}, {"gb", 1e9}, {"gib", 1 << 30},
	{"t", 1e12}, {"tb", 1e12}, {"tib", 1 << 40},
}

// ParseSize parses a size such as "4GB", "512 MiB", "1.5G", or "60%", which means 60 % of allowed. The result is in
// bytes.
func ParseSize(s string, allowed int64) (int64, error) {
	fail := fmt.Errorf("%q is not an amount of memory: write 4GB, 512MiB, 60%% or off", s)
	text := strings.ToLower(strings.TrimSpace(s))
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if end < 0 {
		end = len(text)
	}
	n, err := strconv.ParseFloat(text[:end], 64)
	if err != nil || n <= 0 {
		return 0, fail
	}
	unit := strings.TrimSpace(text[end:])
	if unit == "%" {
		if n > 100 {
			return 0, fmt.Errorf("the amount of memory %s is more than 100%%: write 100%% or less", s)
		}
		return int64(n / 100 * float64(allowed)), nil
	}
	for _, u := range units {
		if u.name == unit {
			if n *= u.bytes; n >= math.MaxInt64 {
				return 0, fail
			}
			return int64(n), nil
		}
	}
	return 0, fail
}

// Format returns a number of bytes as text such as "3.1 GB".
func Format(n int64) string {
	for _, u := range []struct {
		name  string
		bytes float64
	}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}} {
		if x := float64(n) / u.bytes; x >= 1 {
			if x < 10 {
				return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0") + " " + u.name
			}
			return strconv.FormatFloat(x, 'f', 0, 64) + " " + u.name
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
