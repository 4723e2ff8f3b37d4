// Package exportdata loads what compiled packages export, for the type checker
// (packages.go, cache.go), chooses the package that a cell means by a name alone
// (byname.go), and compares two builds of one package (api.go).
package exportdata
