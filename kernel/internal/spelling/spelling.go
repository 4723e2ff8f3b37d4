// Package spelling finds the known name that is most similar to an unknown one.
package spelling

import (
	"strings"
	"unicode/utf8"
)

// Closest returns the candidate that the writer of name probably meant, or "". The candidate differs from name only
// in case, or in at most 1 to 3 letters, depending on the length of name. If name is itself a candidate, the result
// is "". If several candidates have the same distance, Closest prefers one that is longer than name, since users
// leave out a letter more often than they add one. Otherwise it takes the first.
func Closest(name string, candidates []string) string {
	best, least := "", limit(name)+1
	for _, c := range candidates {
		if c == name {
			return ""
		}
		n := 0
		if len(name) < 2 || !strings.EqualFold(c, name) {
			n = max(Distance(name, c), 1)
		}
		if n < least || n == least && best != "" && len(best) < len(name) && len(c) > len(name) {
			best, least = c, n
		}
	}
	return best
}

// limit returns how many letters may differ.
func limit(name string) int {
	switch n := utf8.RuneCountInString(name); {
	case n < 3:
		return 0
	case n < 6:
		return 1
	case n < 10:
		return 2
	}
	return 3
}

// Distance returns the number of edits that turn a into b. An edit adds, removes or changes a letter, or exchanges
// two neighbouring letters.
func Distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := [3][]int{make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := range x {
		older, last, row := rows[0], rows[1], rows[2]
		row[0] = i + 1
		for j := range y {
			cost := 1
			if x[i] == y[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && x[i] == y[j-1] && x[i-1] == y[j] {
				row[j+1] = min(row[j+1], older[j-1]+1)
			}
		}
		rows[0], rows[1], rows[2] = last, row, older
	}
	return rows[1][len(y)]
}
