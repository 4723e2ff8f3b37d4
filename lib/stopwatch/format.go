package stopwatch

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

func duration(d time.Duration) string { return seconds(d.Seconds()) }

// seconds formats a time with three digits.
func seconds(s float64) string {
	if s >= 60 {
		whole := int(math.Round(s))
		text := fmt.Sprintf("%dmin %ds", whole/60%60, whole%60)
		if hours := whole / 3600; hours > 0 {
			text = fmt.Sprintf("%dh ", hours) + text
		}
		return text
	}
	s *= 1e9
	for _, unit := range []string{"ns", "µs", "ms"} {
		if s < 999.5 {
			return digits(s) + " " + unit
		}
		s /= 1000
	}
	return digits(s) + " s"
}

// size formats a number of bytes with three digits.
func size(n uint64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n) / 1000
	for _, unit := range []string{"kB", "MB", "GB"} {
		if f < 999.5 {
			return digits(f) + " " + unit
		}
		f /= 1000
	}
	return digits(f) + " TB"
}

// digits formats a number below 1000 with three digits.
func digits(f float64) string {
	if f < 0.005 {
		return "0"
	}
	text := strconv.FormatFloat(f, 'g', 3, 64)
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		text = strconv.FormatFloat(f, 'f', -1, 64) // without an exponent
	}
	return text
}

// grouped formats a number with a comma between groups of three digits.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// counted formats a number of things, such as "1 thing" or "2 things".
func counted(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return grouped(int(n)) + " " + thing + "s"
}
