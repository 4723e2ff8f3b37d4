package plotstyle

import (
	"math"
	"strconv"
	"strings"
)

// A Unit is the unit of an axis. The labels of the ticks use a suitable multiple of the
// unit. For data in seconds, for example, labels are 10 µs, 1 ms or 5 min.
type Unit int

// The units, with examples of labels.
const (
	Plain       Unit = iota // numbers without a unit: 1, 10 k, 1 M
	Seconds                 // 1 ns, 1 µs, 1 ms, 1 s, 1 min, 1 h, 1 d
	Bytes                   // 1 B, 1 kB, 1 MB: powers of 1,000
	BinaryBytes             // 1 B, 1 KiB, 1 MiB: powers of 1,024
	Percent                 // shares, from 0 to 1 in the data: 0 %, 50 %, 100 %
	Times                   // ratios: 1×, 2×
)

// A multiple is a multiple of a Unit, for labels.
type multiple struct {
	factor float64
	suffix string
}

var multiples = map[Unit][]multiple{
	Plain: {{1e-15, " f"}, {1e-12, " p"}, {1e-9, " n"}, {1e-6, " µ"}, {1e-3, " m"}, {1, ""}, {1e3, " k"}, {1e6, " M"},
		{1e9, " G"}, {1e12, " T"}, {1e15, " P"}},
	Seconds: {{1e-12, " ps"}, {1e-9, " ns"}, {1e-6, " µs"}, {1e-3, " ms"}, {1, " s"}, {60, " min"}, {3600, " h"}, {86400, " d"}},
	Bytes:   {{1, " B"}, {1e3, " kB"}, {1e6, " MB"}, {1e9, " GB"}, {1e12, " TB"}, {1e15, " PB"}},
	BinaryBytes: {{1, " B"}, {1 << 10, " KiB"}, {1 << 20, " MiB"}, {1 << 30, " GiB"}, {1 << 40, " TiB"},
		{1 << 50, " PiB"}},
	Percent: {{0.01, " %"}},
	Times:   {{1, "×"}},
}

// multipleOf returns the largest multiple of u that is not larger than v, or the
// smallest multiple if all are larger. Plain numbers from 0.001 to 10,000 have no
// suffix. Minutes, hours and days are used only for values of three or more of them.
func (u Unit) multipleOf(v float64) multiple {
	v = math.Abs(v) * (1 + 1e-9)
	all := multiples[u]
	if u == Plain && (v >= 1e-3 && v < 1e4 || v >= 1e18 || v < 1e-15) {
		return multiple{1, ""}
	}
	best := all[0]
	for _, m := range all {
		if m.factor <= v && (u != Seconds || m.factor < 60 || v >= 3*m.factor) {
			best = m
		}
	}
	return best
}

// format returns v in units of m, with the number of decimals that step needs. step is
// the distance of the ticks.
func (m multiple) format(v, step float64) string {
	x, s := v/m.factor, step/m.factor
	if (math.Abs(x) >= 1e7 || x != 0 && math.Abs(x) < 1e-3) && math.Abs(x/s) < 1e4 {
		return power(x) + m.suffix
	}
	decimals := decimalsOf(s)
	x = round(x, decimals)
	if x == 0 {
		x = 0 // not -0
	}
	text := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	if x < 0 {
		text = "−" + text
	}
	return group(text) + m.suffix
}

// decimalsOf returns the number of decimals, at most 12, that step needs.
func decimalsOf(step float64) int {
	n := 0
	for n < 12 && math.Abs(step-round(step, n)) > 1e-6*math.Abs(step) {
		n++
	}
	return n
}

func round(x float64, decimals int) float64 {
	p := math.Pow(10, float64(decimals))
	return math.Round(x*p) / p
}

// group separates the thousands of a number with at least five digits by commas.
func group(s string) string {
	whole, fraction, dot := strings.Cut(s, ".")
	digits := strings.TrimPrefix(whole, "−")
	if len(digits) > 4 {
		first := len(whole) - len(digits)
		for i := len(whole) - 3; i > first; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
	}
	if dot {
		return whole + "." + fraction
	}
	return whole
}

// power formats a number in scientific notation: 1e21, 2.5e−9.
func power(x float64) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', 4, 64), "e")
	mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	e, _ := strconv.Atoi(exponent)
	return strings.ReplaceAll(mantissa+"e"+strconv.Itoa(e), "-", "−")
}
