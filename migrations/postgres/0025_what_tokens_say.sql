-- A client may be registered to be told of the aidant as the subject, with what authority they have; to be given userinfo
-- as a signed JWT; and with the address where aidants end the session it keeps of its own.
ALTER TABLE client ADD COLUMN subject TEXT NOT NULL DEFAULT 'usager' CHECK (subject IN ('usager', 'aidant'));
ALTER TABLE client ADD COLUMN userinfo TEXT NOT NULL DEFAULT 'json' CHECK (userinfo IN ('json', 'jwt'));
ALTER TABLE client ADD COLUMN leave_uri TEXT;
