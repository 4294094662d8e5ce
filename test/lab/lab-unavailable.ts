/** This machine cannot host the lab; the message says what is missing. */
export class LabUnavailable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'LabUnavailable';
  }
}
