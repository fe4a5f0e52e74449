/** What an account can be. */
export const ROLES = [
  'surveyor',
  'supervisor',
  'programme_manager',
  'qa_officer',
  'im_officer',
  'authority',
  'observer',
  'admin',
  'relay',
];
