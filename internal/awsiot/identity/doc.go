// Package identity makes and chooses the certificates of the local AWS IoT: the server's
// certificate chains for the two kinds of endpoint, and the devices' certificates.
//
// It knows no registry and no files: an Authority is made once (NewAuthority), written by
// Marshal and read by Unmarshal; which device certificates are accepted is the caller's matter.
//
// # The chains
//
// The real service has two kinds of data endpoint. PREFIX-ats.iot.REGION.amazonaws.com
// presents a chain of four certificates: server, server CA, Amazon Root CA 1 as a cross
// certificate issued by Starfield Services Root G2, and that as a cross certificate issued by
// Starfield Class 2. PREFIX.iot.REGION.amazonaws.com, the legacy endpoint, presents two: server
// and an intermediate of VeriSign's. The Authority has local stand-ins for all of them; every
// one says so in its name.
//
// # One root for both
//
// The XBee's aws.ca holds exactly one certificate, and the field notes this project answers to
// used the same file, signed by Starfield, for both kinds of endpoint. So the file is our
// Class 2 root, and the legacy chain ends there too: with one aws.ca, both endpoints verify.
// What a given modem makes of a chain it is sent (Cat 1 fails on -ats, LTE-M without) is the
// modem model's verdict, not a defect the server puts into its chain. Clients that hold only
// the stand-in of Starfield Services G2 or Amazon Root CA 1 verify the -ats chains as well,
// as they do with the real service: Roots gives these too.
package identity
