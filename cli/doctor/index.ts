export { type DoctorReport, doctor, doctorCommand } from "./command";
