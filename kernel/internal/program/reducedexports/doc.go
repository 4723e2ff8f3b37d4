// Package reducedexports makes copies of the export data of compiled packages. The compiler reads a copy faster than
// the original.
//
// A small cell uses few objects of a package, such as fmt.Println. But when the compiler imports a package, it reads
// three lists completely: the objects that code may name, the packages that the export data mentions, and the imports
// of each of these. A copy has the same bytes in the same places, but these lists are shorter (reduce.go). So numbers
// of symbols, positions and the fingerprint are those of the original, and an object that was compiled against a copy
// can be linked as if it were compiled against the original.
//
// A copy has the objects that the units of a notebook have named so far, and everything to which these objects refer
// (copies.go).
package reducedexports
