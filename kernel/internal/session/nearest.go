package session

import "strings"

// nearest finds the directive that was perhaps meant.
func nearest(name string) string {
	best, least := "", 3 // edits
	for _, d := range directives() {
		for _, known := range d.names {
			n := distance(name, known)
			if strings.HasPrefix(known, name) && len(name) > 2 {
				n = 0
			}
			if n < least && 3*n <= len(name) {
				best, least = known, n
			}
		}
	}
	return best
}

// distance is how many letters to add, drop or change to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
