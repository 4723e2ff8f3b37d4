//go:build !race

package mp_test

const raceDetector = false
