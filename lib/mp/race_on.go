//go:build race

package mp

const raceDetector = true
